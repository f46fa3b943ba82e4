* ensc VERSION, -O1, big-m, joint encoding (Gross et al. 2020, Eq. 4 to 8)
* query changed_coordinates, sha256 of the resolved problem HASH
* member 1 f1: pool.onnx, sha256 HASH
* attacker: norm L0, radius 1, domain [0, 1], attacks 1
* points 1, inputs 2, classes 2
* loss: 1 if class 0 wins by 1/1000 or more
* goal: maximize total
* expected: unknown
* attacks in this file: 1
* answer: the optimum, to be replayed in exact arithmetic
* pass relax: linear relaxation over box and ball; 1 of 1 units keep a choice, 1 of 1 pairs of member and point keep a network
* pass attacks: 1 attack asked for, 1 kept
* pass demand: not every member has to be fooled everywhere
* pass merge: no two members or points are the same
* pass fooled: no copy is so large that a solver would gain by it
* rows 17, columns 13, nonzeros 35, integers 5
* names: p_i probability of attack i; d_i_j_k perturbation of coordinate k of point j;
*   x_i_j_k attacked input, s_i_j_k at least |d_i_j_k|, where d_i_j_k does not stand for them;
*   l_c_i_j 1 if member c is fooled;
*   q_c_i_j = p_i l_c_i_j; a_c_i_j_L_n, h_c_i_j_L_n neuron n of layer L; z_c_i_j_L_n its phase;
*   w_c_i_j_m 1 if class m wins; b_i_j_k 1 if coordinate k may change; t the value;
*   g_c_i_j_m_y margin of class m over y; u, k, n slacks and opposites of ordered sets;
*   o sum of the terms of a row that are too small for readers
* rows r1 to r1: sum_i p_i = 1 (Eq. 6)
* rows r2 to r3: attacked input: denominator (x - d) = numerator of the point
* rows r4 to r4: at most epsilon coordinates change (Eq. 5)
* rows r5 to r5: member 1 (f1): g = f_winner - f_loser
* rows r6 to r7: b = 0 implies d = 0
* rows r8 to r8: loss 1 implies that the winner scores at least the margin more (Eq. 8)
* rows r9 to r10: b = 0 implies d = 0
* rows r11 to r12: h >= candidate
* rows r13 to r14: h <= candidate + (U - lower)(1 - z)
* rows r15 to r15: one selector of a maximum
* rows r16 to r16: q <= p
* rows r17 to r17: q <= l
* the objective was to be maximized: this file minimizes its negative
NAME joint FREE
ROWS
 N obj
 E r1
 E r2
 E r3
 L r4
 E r5
 G r6
 G r7
 G r8
 G r9
 G r10
 G r11
 G r12
 L r13
 L r14
 E r15
 L r16
 L r17
COLUMNS
 p_1 r1 1
 p_1 r16 -1
 d_1_1_1 r2 -12
 d_1_1_1 r6 1
 d_1_1_1 r9 -1
 d_1_1_2 r3 -12
 d_1_1_2 r7 1
 d_1_1_2 r10 -1
 x_1_1_1 r2 12
 x_1_1_1 r11 -1
 x_1_1_1 r13 -1
 x_1_1_2 r3 12
 x_1_1_2 r12 -1
 x_1_1_2 r14 -1
 h_1_1_1_1_1 r5 -2
 h_1_1_1_1_1 r11 1
 h_1_1_1_1_1 r12 1
 h_1_1_1_1_1 r13 1
 h_1_1_1_1_1 r14 1
 g_1_1_1_1_2 r5 1
 g_1_1_1_1_2 r8 1000
 q_1_1_1 obj -1
 q_1_1_1 r16 1
 q_1_1_1 r17 1
 MARKER 'MARKER' 'INTORG'
 b_1_1_1 r4 1
 b_1_1_1 r6 0.16666667
 b_1_1_1 r9 0.83333334
 b_1_1_2 r4 1
 b_1_1_2 r7 0.25000001
 b_1_1_2 r10 0.75000001
 l_1_1_1 r8 -1001.0001999999998
 l_1_1_1 r17 -1
 z_1_1_1_1_1_1 r13 1.0000001
 z_1_1_1_1_1_1 r15 1
 z_1_1_1_1_1_2 r14 1.0000001
 z_1_1_1_1_1_2 r15 1
 MARKER 'MARKER' 'INTEND'
RHS
 RHS r1 1
 RHS r2 2
 RHS r3 3
 RHS r4 1
 RHS r5 -1
 RHS r8 -1000.0002
 RHS r13 1.0000001
 RHS r14 1.0000001
 RHS r15 1
BOUNDS
 LO BND p_1 0
 UP BND p_1 1
 LO BND d_1_1_1 -0.16666666666666669
 UP BND d_1_1_1 0.8333333333333334
 LO BND d_1_1_2 -0.25000000000000006
 UP BND d_1_1_2 0.7500000000000001
 LO BND x_1_1_1 0
 UP BND x_1_1_1 1
 LO BND x_1_1_2 0
 UP BND x_1_1_2 1
 LO BND h_1_1_1_1_1 0
 UP BND h_1_1_1_1_1 1
 LO BND g_1_1_1_1_2 -1.0000001
 UP BND g_1_1_1_1_2 1.0000001
 LO BND q_1_1_1 0
 UP BND q_1_1_1 1
 LO BND b_1_1_1 0
 UP BND b_1_1_1 1
 LO BND b_1_1_2 0
 UP BND b_1_1_2 1
 LO BND l_1_1_1 0
 UP BND l_1_1_1 1
 LO BND z_1_1_1_1_1_1 0
 UP BND z_1_1_1_1_1_1 1
 LO BND z_1_1_1_1_1_2 0
 UP BND z_1_1_1_1_1_2 1
ENDATA
