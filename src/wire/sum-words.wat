;; The sum of 32-bit words as sum-words.ts describes it, 32 octets a step. The bytes in sum-words.ts are made from this text;
;; test/unit/wire/sum-words.test.ts holds the two together.
(module
  (import "slab" "memory" (memory 0))
  (func (export "sumWords") (param $at i32) (param $end i32) (result i32)
    (local $low v128) (local $high v128) (local $v v128) (local $w v128) (local $total i32)
    (block $few
      (loop $thirtytwo
        (br_if $few (i32.gt_u (i32.add (local.get $at) (i32.const 32)) (local.get $end)))
        (local.set $v (v128.load align=4 (local.get $at)))
        (local.set $w (v128.load offset=16 align=4 (local.get $at)))
        (local.set $low (i32x4.add (local.get $low) (v128.and (local.get $v) (v128.const i32x4 65535 65535 65535 65535))))
        (local.set $high (i32x4.add (local.get $high) (i32x4.shr_u (local.get $v) (i32.const 16))))
        (local.set $low (i32x4.add (local.get $low) (v128.and (local.get $w) (v128.const i32x4 65535 65535 65535 65535))))
        (local.set $high (i32x4.add (local.get $high) (i32x4.shr_u (local.get $w) (i32.const 16))))
        (local.set $at (i32.add (local.get $at) (i32.const 32)))
        (br $thirtytwo)))
    (local.set $low (i32x4.add
      (v128.and (local.get $low) (v128.const i32x4 65535 65535 65535 65535))
      (i32x4.shr_u (local.get $low) (i32.const 16))))
    (local.set $high (i32x4.add
      (v128.and (local.get $high) (v128.const i32x4 65535 65535 65535 65535))
      (i32x4.shr_u (local.get $high) (i32.const 16))))
    (local.set $low (i32x4.add (local.get $low) (local.get $high)))
    (local.set $total (i32.add
      (i32.add (i32x4.extract_lane 0 (local.get $low)) (i32x4.extract_lane 1 (local.get $low)))
      (i32.add (i32x4.extract_lane 2 (local.get $low)) (i32x4.extract_lane 3 (local.get $low)))))
    (block $done
      (loop $four
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $total (i32.add (local.get $total) (i32.add
          (i32.load16_u (local.get $at))
          (i32.load16_u offset=2 (local.get $at)))))
        (local.set $at (i32.add (local.get $at) (i32.const 4)))
        (br $four)))
    (local.get $total)))
