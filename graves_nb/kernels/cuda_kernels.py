"""The persistent kernels of `cuda.py`, in Triton: one launch takes one layer through many steps.

Each program keeps BH hidden units of BB lines, with the weights that these units need; after each step the
programs of the same lines wait for one another at a barrier. A layer with a window has more programs: each
keeps the windows of LW lines. Sizes come padded, so that no load needs a mask: B lines, a multiple of BB,
H units, a multiple of BH. What the recurrent weights meet lies in blocks of BK numbers, in the type of the
operands, with zeros where there is nothing: `row` (T + 1, B, R) is h from column 0 and w from column HP,
`dz` (T + 1, B, 4 HP). The three "hats" of a window take 4 BW columns: the last quarter is empty.

Nothing of a step may be read before the barrier of the step that made it: the loops over time are never
pipelined, and what other programs wrote is read past the near cache.
"""

import triton
import triton.language as tl


@triton.jit
def tanh(x):
    return 2 * tl.sigmoid(2 * x) - 1


@triton.jit
def clip(x, limit):
    """Keep x within the limits, and what is not a number as it is."""
    return tl.where(x > limit, limit, tl.where(x < -limit, -limit, x))


@triton.jit
def arrive(counter):
    """Say that this program has stored its part."""
    tl.debug_barrier()
    tl.atomic_add(counter, 1, sem="release")


@triton.jit
def wait(counter, goal):
    """Wait until `goal` programs have said so: now what they stored can be read."""
    while tl.atomic_add(counter, 0, sem="acquire") < goal:
        pass
    tl.debug_barrier()


@triton.jit
def fetch(x, FIRST: tl.constexpr, LAST: tl.constexpr, BK: tl.constexpr):
    """Load the blocks FIRST to LAST of what other programs wrote: all loads are under way at once."""
    blocks = ()
    for i in tl.static_range(FIRST, LAST):
        blocks = blocks + (tl.load(x + i * BK, cache_modifier=".cg"),)
    return blocks


@triton.jit
def meet(z, x, w, tiles, FIRST: tl.constexpr, LAST: tl.constexpr, BK: tl.constexpr, RESIDENT: tl.constexpr,
         PRECISION: tl.constexpr):
    """Add to z the blocks FIRST to LAST of x times those of w: kept in `tiles`, or read again."""
    if RESIDENT:
        blocks = fetch(x, FIRST, LAST, BK)
        for i in tl.static_range(FIRST, LAST):
            z = tl.dot(blocks[i - FIRST], tiles[i], z)
    else:
        for i in tl.range(FIRST, LAST, num_stages=1):
            block = tl.load(x + i * BK, cache_modifier=".cg")
            z = tl.dot(block, tl.load(w + i * BK), z, input_precision=PRECISION)
    return z


@triton.jit
def quarters(z, BB: tl.constexpr, BH: tl.constexpr):
    """Cut (BB, 4 BH) into four parts (BB, BH)."""
    even, odd = tl.split(tl.permute(tl.reshape(z, (BB, 2, 2, BH)), (0, 3, 1, 2)))
    first, third = tl.split(even)
    second, fourth = tl.split(odd)
    return first, second, third, fourth


@triton.jit
def together(first, second, third, fourth, BB: tl.constexpr, BH: tl.constexpr):
    """Put four parts (BB, BH) side by side, (BB, 4 BH)."""
    parts = tl.join(tl.join(first, third), tl.join(second, fourth))  # (BB, BH, 2, 2)
    return tl.reshape(tl.permute(parts, (0, 2, 3, 1)), (BB, 4 * BH))


# ---- Forward ----


@triton.jit
def gates_forward(a, bias, weight, peephole, row, gates, h, c, look, rest, partial, counters, T, B, H: tl.constexpr,
                  HP: tl.constexpr, R: tl.constexpr, SH: tl.constexpr, WINDOWS: tl.constexpr, BB: tl.constexpr,
                  BH: tl.constexpr, BK: tl.constexpr, BW: tl.constexpr, RESIDENT: tl.constexpr,
                  PRECISION: tl.constexpr):
    """Take this program's units and lines through all steps (eqs 7-11)."""
    p, group = tl.program_id(0), tl.program_id(1)
    kind = row.dtype.element_ty
    b, j, k, n = group * BB + tl.arange(0, BB), p * BH + tl.arange(0, BH), tl.arange(0, BK), tl.arange(0, 4 * BH)
    unit = n // BH * H + p * BH + n % BH  # the row of W for each gate and unit
    w, one, wide = weight + unit[None, :] * R + k[:, None], b[:, None] * H + j[None, :], b[:, None] * 4 * H
    tiles = fetch(w, 0, R // BK, BK) if RESIDENT else ()
    w_ci, w_cf, w_co = tl.load(peephole + j), tl.load(peephole + H + j), tl.load(peephole + 2 * H + j)
    biases, cell = tl.load(bias + unit)[None, :], tl.load(c + one)
    if WINDOWS:
        m = tl.arange(0, 4 * BW)
        mine = j[:, None] * 4 * BW + m[None, :]
        looks, rests = tl.load(look + mine), tl.load(rest + mine)
    ahead = tl.load(a + wide + unit[None, :])
    for t in tl.range(0, T, num_stages=1):
        x = row + t * B * R + b[:, None] * R + k[None, :]
        z = ahead.to(tl.float32) + biases
        z = meet(z, x, w, tiles, 0, HP // BK, BK, RESIDENT, PRECISION)
        if WINDOWS:
            wait(counters + 2 * group + 1, WINDOWS * t)
            z = meet(z, x, w, tiles, HP // BK, R // BK, BK, RESIDENT, PRECISION)
        i, f, g, o = quarters(z, BB, BH)
        i, f, g = tl.sigmoid(i + w_ci[None, :] * cell), tl.sigmoid(f + w_cf[None, :] * cell), tanh(g)
        cell = f * cell + i * g
        o = tl.sigmoid(o + w_co[None, :] * cell)
        y = o * tanh(cell)
        tl.store(row + (t + 1) * B * R + b[:, None] * R + j[None, :], y.to(kind))
        if WINDOWS:  # what these units tell the windows, in two parts where one would be too coarse
            told = tl.dot(y.to(kind), looks, input_precision=PRECISION)
            told = tl.dot(y.to(kind), rests, told, input_precision=PRECISION)
            place = ((t % 2) * (H // BH) + p) * B
            tl.store(partial + (place + b[:, None]) * 4 * BW + m[None, :], told)
        arrive(counters + 2 * group)
        at = gates + t * B * 4 * H + wide + j[None, :]  # meanwhile, what only the way back needs
        tl.store(at, i)
        tl.store(at + H, f)
        tl.store(at + 2 * H, g)
        tl.store(at + 3 * H, o)
        tl.store(c + (t + 1) * B * H + one, cell)
        tl.store(h + (t + 1) * B * SH + b[:, None] * SH + j[None, :], y)
        ahead = tl.load(a + tl.minimum(t + 1, T - 1) * B * 4 * H + wide + unit[None, :])
        wait(counters + 2 * group, H // BH * (t + 1))


@triton.jit
def window_forward(bias_p, codes, row, kappa, shape, partial, counters, T, B, U, H: tl.constexpr, HP: tl.constexpr,
                   R: tl.constexpr, BB: tl.constexpr, BH: tl.constexpr, BW: tl.constexpr, LW: tl.constexpr,
                   BU: tl.constexpr, NU: tl.constexpr, BP: tl.constexpr):
    """Take the windows of this program's lines through all steps (eqs 46-51)."""
    P: tl.constexpr = H // BH
    VP: tl.constexpr = R - HP
    group = tl.program_id(1)
    b = group * BB + (tl.program_id(0) - P) * LW + tl.arange(0, LW)
    m, k, v, u, q = tl.arange(0, 4 * BW), tl.arange(0, BW), tl.arange(0, VP), tl.arange(0, BU), tl.arange(0, BP)
    texts = ()
    for e in tl.static_range(NU):
        known = (e * BU + u < U)[None, :]
        texts = texts + (tl.load(codes + b[:, None] * U + e * BU + u[None, :], mask=known, other=-1),)
    biases, centre = tl.load(bias_p + m)[None, :], tl.load(kappa + b[:, None] * BW + k[None, :])
    for t in tl.range(0, T, num_stages=1):
        wait(counters + 2 * group, P * (t + 1))
        told = partial + ((t % 2 * P + q)[:, None, None] * B + b[None, :, None]) * 4 * BW + m[None, None, :]
        told = tl.load(told, mask=(q < P)[:, None, None], other=0.0, cache_modifier=".cg")
        form = tl.exp(tl.sum(told, 0) + biases)  # eqs (48) to (50), (LW, 4 BW)
        alpha, beta, step, _ = quarters(form, LW, BW)
        centre += step  # eq. (51)
        seen = tl.zeros((LW, VP), tl.float32)
        for e in tl.static_range(NU):
            distance = centre[:, :, None] - (e * BU + 1 + u).to(tl.float32)[None, None, :]
            phi = tl.sum(alpha[:, :, None] * tl.exp(-beta[:, :, None] * distance * distance), 1)  # eq. (46)
            seen += tl.sum(tl.where(texts[e][:, :, None] == v[None, None, :], phi[:, :, None], 0.0), 1)  # eq. (47)
        tl.store(row + (t + 1) * B * R + b[:, None] * R + HP + v[None, :], seen.to(row.dtype.element_ty))
        arrive(counters + 2 * group + 1)
        tl.store(kappa + (t + 1) * B * BW + b[:, None] * BW + k[None, :], centre)
        tl.store(shape + (t * B + b[:, None]) * 4 * BW + m[None, :], form)


@triton.jit(do_not_specialize=["T", "U"], do_not_specialize_on_alignment=["counters"])
def forward_kernel(a, bias, weight, peephole, row, gates, h, c, look, rest, bias_p, codes, kappa, shape, partial,
                   counters, T, B, U, H: tl.constexpr, HP: tl.constexpr, R: tl.constexpr, SH: tl.constexpr,
                   WINDOWS: tl.constexpr, BB: tl.constexpr, BH: tl.constexpr, BK: tl.constexpr, BW: tl.constexpr,
                   LW: tl.constexpr, BU: tl.constexpr, NU: tl.constexpr, BP: tl.constexpr,
                   RESIDENT: tl.constexpr, PRECISION: tl.constexpr):
    """Fill `row`, `gates`, `h` and `c`, and with a window `kappa` and `shape` (alpha, beta, step of kappa)."""
    if tl.program_id(0) < H // BH:
        gates_forward(a, bias, weight, peephole, row, gates, h, c, look, rest, partial, counters, T, B, H, HP, R, SH,
                      WINDOWS, BB, BH, BK, BW, RESIDENT, PRECISION)
    elif WINDOWS:
        window_forward(bias_p, codes, row, kappa, shape, partial, counters, T, B, U, H, HP, R, BB, BH, BW, LW, BU, NU,
                       BP)


# ---- Backward ----


@triton.jit
def gates_backward(weight, peephole, gates, c, dh, below, dz, dc, sums, partial, counters, T, B, start, limit,
                   H: tl.constexpr, HP: tl.constexpr, R: tl.constexpr, SD: tl.constexpr, SB: tl.constexpr,
                   WINDOWS: tl.constexpr, BB: tl.constexpr, BH: tl.constexpr, BK: tl.constexpr,
                   RESIDENT: tl.constexpr, PRECISION: tl.constexpr):
    """Take the derivatives of this program's units and lines back through all steps."""
    P: tl.constexpr = H // BH
    TOLD: tl.constexpr = P + (WINDOWS > 0)  # how many tell each program something
    p, group = tl.program_id(0), tl.program_id(1)
    kind = dz.dtype.element_ty
    b, j, k, n = group * BB + tl.arange(0, BB), p * BH + tl.arange(0, BH), tl.arange(0, BK), tl.arange(0, 4 * BH)
    one, wide = b[:, None] * H + j[None, :], b[:, None] * 4 * H + j[None, :]
    w = weight + (n // BH * H + p * BH + n % BH)[:, None] * R + k[None, :]  # (4 BH, BK): this program's rows of W
    tiles = fetch(w, 0, R // BK, BK) if RESIDENT else ()
    tell = (k // BH * TOLD + p)[None, :] * B * BH + b[:, None] * BH + (k % BH)[None, :]  # where others look
    hear = p * TOLD * B * BH + b[:, None] * BH + tl.arange(0, BH)[None, :]
    w_ci, w_cf, w_co = tl.load(peephole + j), tl.load(peephole + H + j), tl.load(peephole + 2 * H + j)
    carry, after, none = tl.load(dc + one), tl.load(c + T * B * H + one), tl.zeros((BB, BH), tl.float32)
    s_i, s_f, s_g, s_o, s_ci, s_cf, s_co = none, none, none, none, none, none, none
    for s in tl.range(0, T, num_stages=1):
        t = T - 1 - s
        at = gates + t * B * 4 * H + wide
        i, f, g, o = tl.load(at), tl.load(at + H), tl.load(at + 2 * H), tl.load(at + 3 * H)
        before = tl.load(c + t * B * H + one)
        d = tl.load(dh + t * B * SD + b[:, None] * SD + j[None, :])
        if SB:
            d += tl.load(below + t * B * SB + b[:, None] * SB + j[None, :]).to(tl.float32)
        wait(counters + 2 * group, P * s)
        told = partial + (start + t + 1) % 2 * (R * TOLD * B) + hear
        for q in tl.static_range(P):  # what each program's units ask of these
            d += tl.load(told + q * B * BH, cache_modifier=".cg").to(tl.float32)
        if WINDOWS:
            wait(counters + 2 * group + 1, WINDOWS * (s + 1))
            d += tl.load(told + P * B * BH, cache_modifier=".cg").to(tl.float32)  # and the windows
        tanh_c = tanh(after)
        z_o = clip(d * tanh_c * o * (1 - o), limit)
        carry += d * o * (1 - tanh_c * tanh_c) + w_co[None, :] * z_o
        z_i, z_f = clip(carry * g * i * (1 - i), limit), clip(carry * before * f * (1 - f), limit)
        z_g = clip(carry * i * (1 - g * g), limit)
        carry = carry * f + w_ci[None, :] * z_i + w_cf[None, :] * z_f
        z = together(z_i, z_f, z_g, z_o, BB, BH).to(kind)  # (BB, 4 BH)
        told = partial + (start + t) % 2 * (R * TOLD * B) + tell
        if RESIDENT:
            for e in tl.static_range(R // BK):
                tl.store(told + e * (BK * TOLD) * B, tl.dot(z, tiles[e]).to(kind))
        else:
            for e in tl.range(0, R // BK, num_stages=1):
                asks = tl.dot(z, tl.load(w + e * BK), input_precision=PRECISION)
                tl.store(told + e * (BK * TOLD) * B, asks.to(kind))
        arrive(counters + 2 * group)
        at = dz + t * B * 4 * H + wide
        tl.store(at, z_i.to(kind))
        tl.store(at + H, z_f.to(kind))
        tl.store(at + 2 * H, z_g.to(kind))
        tl.store(at + 3 * H, z_o.to(kind))
        s_i, s_f, s_g, s_o = s_i + z_i, s_f + z_f, s_g + z_g, s_o + z_o
        s_ci, s_cf, s_co = s_ci + z_i * before, s_cf + z_f * before, s_co + z_o * after
        after = before
    tl.store(dc + one, carry)
    at = sums + group * 7 * H + j
    tl.store(at, tl.load(at) + tl.sum(s_i, 0))
    tl.store(at + H, tl.load(at + H) + tl.sum(s_f, 0))
    tl.store(at + 2 * H, tl.load(at + 2 * H) + tl.sum(s_g, 0))
    tl.store(at + 3 * H, tl.load(at + 3 * H) + tl.sum(s_o, 0))
    tl.store(at + 4 * H, tl.load(at + 4 * H) + tl.sum(s_ci, 0))
    tl.store(at + 5 * H, tl.load(at + 5 * H) + tl.sum(s_cf, 0))
    tl.store(at + 6 * H, tl.load(at + 6 * H) + tl.sum(s_co, 0))


@triton.jit
def window_backward(look, codes, kappa, shape, dw, dp, dkappa, partial, counters, T, B, U, start, H: tl.constexpr,
                    HP: tl.constexpr, R: tl.constexpr, BB: tl.constexpr, BH: tl.constexpr, BW: tl.constexpr,
                    LW: tl.constexpr, BU: tl.constexpr, NU: tl.constexpr, BP: tl.constexpr, WH: tl.constexpr):
    """Take the derivatives of the windows of this program's lines back through all steps (eqs 56-60)."""
    P: tl.constexpr = H // BH
    VP: tl.constexpr = R - HP
    kind = partial.dtype.element_ty
    group = tl.program_id(1)
    b = group * BB + (tl.program_id(0) - P) * LW + tl.arange(0, LW)
    k, v, u, q, j = tl.arange(0, BW), tl.arange(0, VP), tl.arange(0, BU), tl.arange(0, BP), tl.arange(0, WH)
    texts, rows = (), look + k[:, None] * H + j[None, :]
    for e in tl.static_range(NU):
        known = (e * BU + u < U)[None, :]
        texts = texts + (tl.load(codes + b[:, None] * U + e * BU + u[None, :], mask=known, other=-1),)
    look_alpha = tl.load(rows, mask=(j < H)[None, :], other=0.0)[None, :, :]  # (1, BW, WH), the rows of W_p
    look_beta = tl.load(rows + BW * H, mask=(j < H)[None, :], other=0.0)[None, :, :]
    look_step = tl.load(rows + 2 * BW * H, mask=(j < H)[None, :], other=0.0)[None, :, :]
    hear = ((HP + v) // BH * (P + 1) * B * BH + v % BH)[None, None, :]
    hear += q[:, None, None] * B * BH + b[None, :, None] * BH
    tell = ((j // BH * (P + 1) + P) * B * BH + j % BH)[None, :] + b[:, None] * BH
    carry = tl.load(dkappa + b[:, None] * BW + k[None, :])
    for s in tl.range(0, T, num_stages=1):
        t = T - 1 - s
        at = shape + (t * B + b[:, None]) * 4 * BW + k[None, :]
        alpha, beta, step = tl.load(at), tl.load(at + BW), tl.load(at + 2 * BW)
        centre = tl.load(kappa + (t + 1) * B * BW + b[:, None] * BW + k[None, :])
        d = tl.load(dw + (t * B + b[:, None]) * VP + v[None, :])
        wait(counters + 2 * group, P * s)
        slot = partial + (start + t + 1) % 2 * (R * (P + 1) * B)
        told = tl.load(slot + hear, mask=(q < P)[:, None, None], other=0.0, cache_modifier=".cg")
        d += tl.sum(told.to(tl.float32), 0)  # what all units ask of w, (LW, VP)
        d_alpha, d_beta = tl.zeros((LW, BW), tl.float32), tl.zeros((LW, BW), tl.float32)
        for e in tl.static_range(NU):
            dphi = tl.sum(tl.where(texts[e][:, None, :] == v[None, :, None], d[:, :, None], 0.0), 1)  # (LW, BU)
            distance = centre[:, None, :] - (e * BU + 1 + u).to(tl.float32)[None, :, None]
            eps = alpha[:, None, :] * tl.exp(-beta[:, None, :] * distance * distance) * dphi[:, :, None]  # eq. (56)
            d_alpha += tl.sum(eps, 1)  # eq. (57)
            d_beta -= beta * tl.sum(eps * distance * distance, 1)  # eq. (58)
            carry -= 2 * beta * tl.sum(eps * distance, 1)  # eq. (59)
        d_step = step * carry  # eq. (60)
        asks = tl.sum(d_alpha[:, :, None] * look_alpha + d_beta[:, :, None] * look_beta
                      + d_step[:, :, None] * look_step, 1)  # of h, (LW, WH)
        tl.store(slot + tell, asks.to(kind), mask=(j < H)[None, :])
        arrive(counters + 2 * group + 1)
        at = dp + (t * B + b[:, None]) * 4 * BW + k[None, :]
        tl.store(at, d_alpha)
        tl.store(at + BW, d_beta)
        tl.store(at + 2 * BW, d_step)
    tl.store(dkappa + b[:, None] * BW + k[None, :], carry)


@triton.jit(do_not_specialize=["T", "U", "start"], do_not_specialize_on_alignment=["counters"])
def backward_kernel(weight, peephole, gates, c, dh, below, dz, dc, sums, look, codes, kappa, shape, dw, dp, dkappa,
                    partial, counters, T, B, U, start, limit, H: tl.constexpr, HP: tl.constexpr, R: tl.constexpr,
                    SD: tl.constexpr, SB: tl.constexpr, WINDOWS: tl.constexpr, BB: tl.constexpr, BH: tl.constexpr,
                    BK: tl.constexpr, BW: tl.constexpr, LW: tl.constexpr, BU: tl.constexpr, NU: tl.constexpr,
                    BP: tl.constexpr, WH: tl.constexpr, RESIDENT: tl.constexpr, PRECISION: tl.constexpr):
    """Fill `dz` and `dc`, and with a window `dp` and `dkappa`; add to the sums of bias and peepholes."""
    if tl.program_id(0) < H // BH:
        gates_backward(weight, peephole, gates, c, dh, below, dz, dc, sums, partial, counters, T, B, start, limit, H,
                       HP, R, SD, SB, WINDOWS, BB, BH, BK, RESIDENT, PRECISION)
    elif WINDOWS:
        window_backward(look, codes, kappa, shape, dw, dp, dkappa, partial, counters, T, B, U, start, H, HP, R, BB, BH,
                        BW, LW, BU, NU, BP, WH)
