;; y = W x in float32, 16 rows at a time: four vectors of four sums each.
;;
;; The weights lie in the order in which they are read: for each block of 16 rows, column after
;; column, the block's 16 weights. So one number of x meets four loads, and no sum crosses lanes.
;; Bytes: 4 a number, 16 a vector, 64 a column of a block.
(module
  (memory (import "network" "memory") 1)
  (func (export "matvec")
    (param $w i32) (param $x i32) (param $y i32)        ;; addresses
    (param $end i32) (param $x_end i32)                 ;; ends of y and of x
    (local $p i32) (local $v v128)
    (local $a v128) (local $b v128) (local $c v128) (local $d v128)
    (loop $block
      (local.set $a (v128.const f32x4 0 0 0 0))
      (local.set $b (v128.const f32x4 0 0 0 0))
      (local.set $c (v128.const f32x4 0 0 0 0))
      (local.set $d (v128.const f32x4 0 0 0 0))
      (local.set $p (local.get $x))
      (loop $column
        (local.set $v (v128.load32_splat (local.get $p)))
        (local.set $a (f32x4.add (local.get $a) (f32x4.mul (local.get $v) (v128.load (local.get $w)))))
        (local.set $b (f32x4.add (local.get $b) (f32x4.mul (local.get $v) (v128.load offset=16 (local.get $w)))))
        (local.set $c (f32x4.add (local.get $c) (f32x4.mul (local.get $v) (v128.load offset=32 (local.get $w)))))
        (local.set $d (f32x4.add (local.get $d) (f32x4.mul (local.get $v) (v128.load offset=48 (local.get $w)))))
        (local.set $w (i32.add (local.get $w) (i32.const 64)))
        (local.set $p (i32.add (local.get $p) (i32.const 4)))
        (br_if $column (i32.lt_u (local.get $p) (local.get $x_end))))
      (v128.store (local.get $y) (local.get $a))
      (v128.store offset=16 (local.get $y) (local.get $b))
      (v128.store offset=32 (local.get $y) (local.get $c))
      (v128.store offset=48 (local.get $y) (local.get $d))
      (local.set $y (i32.add (local.get $y) (i32.const 64)))
      (br_if $block (i32.lt_u (local.get $y) (local.get $end))))))
