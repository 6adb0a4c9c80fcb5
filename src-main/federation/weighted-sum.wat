;; The inner loops of the running weighted sum (float-sums.ts says what they are for). Assembled into
;; weighted-sum-wasm.ts by test/setup/assemble-kernel.ts; a test assembles it again and compares.
;;
;; All pointers are byte offsets; element counts are multiples of 8.
(module
  (import "host" "memory" (memory 1))

  ;; Largest magnitude of n float32 at src, as its bit pattern without the sign. Magnitudes order like their bits;
  ;; 0x7f800000 and above are infinities and NaN.
  (func (export "peak") (param $src i32) (param $n i32) (result i32)
    (local $end i32) (local $m v128) (local $mask v128)
    (local.set $mask (i32x4.splat (i32.const 0x7fffffff)))
    (local.set $end (i32.add (local.get $src) (i32.shl (local.get $n) (i32.const 2))))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $src) (local.get $end)))
        (local.set $m (i32x4.max_s (local.get $m)
          (i32x4.max_s
            (v128.and (v128.load (local.get $src)) (local.get $mask))
            (v128.and (v128.load offset=16 (local.get $src)) (local.get $mask)))))
        (local.set $src (i32.add (local.get $src) (i32.const 32)))
        (br $next)))
    (local.set $m (i32x4.max_s (local.get $m)
      (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $m) (local.get $m))))
    (local.set $m (i32x4.max_s (local.get $m)
      (i8x16.shuffle 4 5 6 7 0 1 2 3 12 13 14 15 8 9 10 11 (local.get $m) (local.get $m))))
    (i32x4.extract_lane 0 (local.get $m)))

  ;; s[i] += w * src[i] for n elements, exactly.
  ;; A magnitude is in range when (bits - c) <= r as signed numbers; such products keep s exact without a look.
  ;; Any other element sends its group of eight through $careful.
  ;; What even $careful could not hold is written after spill, 16 bytes per entry (index i32, value f64 at 8), with the
  ;; number of entries as i32 at spill itself; the caller clears it.
  ;; Returns -1, or the index of the first infinity or NaN; the elements before that one have been added then.
  (func (export "fold")
    (param $src i32) (param $s i32) (param $e i32) (param $f i32) (param $n i32) (param $w f64)
    (param $c i32) (param $r i32) (param $flag i32) (param $spill i32) (result i32)
    (local $i i32) (local $bad i32) (local $a v128) (local $b v128)
    (local $mask v128) (local $cs v128) (local $rs v128) (local $ws v128)
    (local.set $mask (i32x4.splat (i32.const 0x7fffffff)))
    (local.set $cs (i32x4.splat (local.get $c)))
    (local.set $rs (i32x4.splat (local.get $r)))
    (local.set $ws (f64x2.splat (local.get $w)))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $i) (local.get $n)))
        (local.set $a (v128.load (local.get $src)))
        (local.set $b (v128.load offset=16 (local.get $src)))
        (if (v128.any_true (v128.or
              (i32x4.gt_s (i32x4.sub (v128.and (local.get $a) (local.get $mask)) (local.get $cs)) (local.get $rs))
              (i32x4.gt_s (i32x4.sub (v128.and (local.get $b) (local.get $mask)) (local.get $cs)) (local.get $rs))))
          (then
            (local.set $bad (call $careful
              (local.get $src) (local.get $s) (local.get $e) (local.get $f) (local.get $i) (local.get $w)
              (local.get $c) (local.get $r) (local.get $flag) (local.get $spill)))
            (if (i32.ge_s (local.get $bad) (i32.const 0)) (then (return (local.get $bad)))))
          (else
            (v128.store (local.get $s) (f64x2.add (v128.load (local.get $s))
              (f64x2.mul (local.get $ws) (f64x2.promote_low_f32x4 (local.get $a)))))
            (v128.store offset=16 (local.get $s) (f64x2.add (v128.load offset=16 (local.get $s))
              (f64x2.mul (local.get $ws) (f64x2.promote_low_f32x4 (v128.load64_zero offset=8 (local.get $src))))))
            (v128.store offset=32 (local.get $s) (f64x2.add (v128.load offset=32 (local.get $s))
              (f64x2.mul (local.get $ws) (f64x2.promote_low_f32x4 (local.get $b)))))
            (v128.store offset=48 (local.get $s) (f64x2.add (v128.load offset=48 (local.get $s))
              (f64x2.mul (local.get $ws) (f64x2.promote_low_f32x4 (v128.load64_zero offset=24 (local.get $src))))))))
        (local.set $src (i32.add (local.get $src) (i32.const 32)))
        (local.set $s (i32.add (local.get $s) (i32.const 64)))
        (local.set $i (i32.add (local.get $i) (i32.const 8)))
        (br $next)))
    (i32.const -1))

  ;; Eight elements one by one. In range: into s. Zero: nothing. Infinity or NaN: stop. Else TwoSum into e, what that
  ;; loses by TwoSum into f, what that loses to the spill. $src and $s point at element $i; $e and $f at element 0.
  (func $careful
    (param $src i32) (param $s i32) (param $e i32) (param $f i32) (param $i i32) (param $w f64)
    (param $c i32) (param $r i32) (param $flag i32) (param $spill i32) (result i32)
    (local $end i32) (local $entry i32) (local $bits i32) (local $x f64) (local $old f64) (local $sum f64) (local $part f64)
    (local.set $e (i32.add (local.get $e) (i32.shl (local.get $i) (i32.const 3))))
    (local.set $f (i32.add (local.get $f) (i32.shl (local.get $i) (i32.const 3))))
    (local.set $end (i32.add (local.get $i) (i32.const 8)))
    (loop $next
      (local.set $bits (i32.and (i32.load (local.get $src)) (i32.const 0x7fffffff)))
      (local.set $x (f64.mul (local.get $w) (f64.promote_f32 (f32.load (local.get $src)))))
      (block $added
        (br_if $added (i32.eqz (local.get $bits)))
        (if (i32.le_s (i32.sub (local.get $bits) (local.get $c)) (local.get $r))
          (then
            (f64.store (local.get $s) (f64.add (f64.load (local.get $s)) (local.get $x)))
            (br $added)))
        (if (i32.ge_u (local.get $bits) (i32.const 0x7f800000))
          (then (return (local.get $i))))
        (local.set $old (f64.load (local.get $e)))
        (local.set $sum (f64.add (local.get $old) (local.get $x)))
        (local.set $part (f64.sub (local.get $sum) (local.get $old)))
        (local.set $x (f64.add
          (f64.sub (local.get $old) (f64.sub (local.get $sum) (local.get $part)))
          (f64.sub (local.get $x) (local.get $part))))
        (f64.store (local.get $e) (local.get $sum))
        (i32.store8 (local.get $flag) (i32.or (i32.load8_u (local.get $flag)) (i32.const 1)))
        (br_if $added (f64.eq (local.get $x) (f64.const 0)))
        (local.set $old (f64.load (local.get $f)))
        (local.set $sum (f64.add (local.get $old) (local.get $x)))
        (local.set $part (f64.sub (local.get $sum) (local.get $old)))
        (local.set $x (f64.add
          (f64.sub (local.get $old) (f64.sub (local.get $sum) (local.get $part)))
          (f64.sub (local.get $x) (local.get $part))))
        (f64.store (local.get $f) (local.get $sum))
        (i32.store8 (local.get $flag) (i32.or (i32.load8_u (local.get $flag)) (i32.const 3)))
        (br_if $added (f64.eq (local.get $x) (f64.const 0)))
        (i32.store (local.get $spill) (i32.add (i32.load (local.get $spill)) (i32.const 1)))
        (local.set $entry (i32.add (local.get $spill) (i32.shl (i32.load (local.get $spill)) (i32.const 4))))
        (i32.store (local.get $entry) (local.get $i))
        (f64.store offset=8 (local.get $entry) (local.get $x)))
      (local.set $src (i32.add (local.get $src) (i32.const 4)))
      (local.set $s (i32.add (local.get $s) (i32.const 8)))
      (local.set $e (i32.add (local.get $e) (i32.const 8)))
      (local.set $f (i32.add (local.get $f) (i32.const 8)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $i) (local.get $end))))
    (i32.const -1))

  ;; out[i] = float32((s[i] + e[i]) / total) for n elements.
  (func (export "mean") (param $s i32) (param $e i32) (param $n i32) (param $total f64) (param $out i32)
    (local $end i32) (local $t v128)
    (local.set $t (f64x2.splat (local.get $total)))
    (local.set $end (i32.add (local.get $out) (i32.shl (local.get $n) (i32.const 2))))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $out) (local.get $end)))
        (v128.store64_lane 0 (local.get $out) (f32x4.demote_f64x2_zero
          (f64x2.div (f64x2.add (v128.load (local.get $s)) (v128.load (local.get $e))) (local.get $t))))
        (v128.store64_lane offset=8 0 (local.get $out) (f32x4.demote_f64x2_zero
          (f64x2.div (f64x2.add (v128.load offset=16 (local.get $s)) (v128.load offset=16 (local.get $e))) (local.get $t))))
        (local.set $s (i32.add (local.get $s) (i32.const 32)))
        (local.set $e (i32.add (local.get $e) (i32.const 32)))
        (local.set $out (i32.add (local.get $out) (i32.const 16)))
        (br $next))))
)
