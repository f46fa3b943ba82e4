* ensc VERSION, -O0, big-m, joint encoding (Gross et al. 2020, Eq. 4 to 8)
* query check_as_printed, sha256 of the resolved problem HASH
* member 1 f1: relu.onnx, sha256 HASH
* member 2 f2: pool.onnx, sha256 HASH
* attacker: norm L1, radius 1/4, domain [0, 1], attacks 2
* points 1, inputs 2, classes 2
* loss: 1 if another class scores at least the true one's score plus 0
* goal: check value < 1/2
* expected: unknown
* attacks in this file: 2
* answer: a feasible point is an attack, to be replayed in exact arithmetic;
*   infeasible means robust
* pass printed: every copy, interval bounds; 3 of 3 units keep a choice, 2 of 2 pairs of member and point keep a network
* rows 67, columns 48, nonzeros 154, integers 12
* names: p_i probability of attack i; d_i_j_k perturbation of coordinate k of point j;
*   x_i_j_k attacked input, s_i_j_k at least |d_i_j_k|, where d_i_j_k does not stand for them;
*   l_c_i_j 1 if member c is fooled;
*   q_c_i_j = p_i l_c_i_j; a_c_i_j_L_n, h_c_i_j_L_n neuron n of layer L; z_c_i_j_L_n its phase;
*   w_c_i_j_m 1 if class m wins; b_i_j_k 1 if coordinate k may change; t the value;
*   g_c_i_j_m_y margin of class m over y; u, k, n slacks and opposites of ordered sets;
*   o sum of the terms of a row that are too small for readers
* rows r1 to r1: sum_i p_i = 1 (Eq. 6)
* rows r2 to r5: attacked input: denominator (x - d) = numerator of the point
* rows r6 to r13: s >= |d|
* rows r14 to r15: sum_k |d_k| <= epsilon (Eq. 5)
* rows r16 to r19: member 1 (f1), layer 1: a - W x = b
* rows r20 to r23: member 1 (f1), layer 3: a - W x = b
* rows r24 to r27: member 2 (f2), layer 2: a - W x = b
* rows r28 to r29: expected losses of each member >= alpha |X| (Eq. 4)
* rows r30 to r33: loss 1 implies that the winner scores at least the margin more (Eq. 8)
* rows r34 to r37: h >= a
* rows r38 to r41: h <= upper z
* rows r42 to r45: h <= a - lower (1 - z)
* rows r46 to r49: h >= candidate
* rows r50 to r53: h <= candidate + (U - lower)(1 - z)
* rows r54 to r55: one selector of a maximum
* rows r56 to r59: q <= p
* rows r60 to r63: q <= l
* rows r64 to r67: q >= p + l - 1
NAME joint FREE
ROWS
 N obj
 E r1
 E r2
 E r3
 E r4
 E r5
 G r6
 G r7
 G r8
 G r9
 G r10
 G r11
 G r12
 G r13
 L r14
 L r15
 E r16
 E r17
 E r18
 E r19
 E r20
 E r21
 E r22
 E r23
 E r24
 E r25
 E r26
 E r27
 G r28
 G r29
 G r30
 G r31
 G r32
 G r33
 G r34
 G r35
 G r36
 G r37
 L r38
 L r39
 L r40
 L r41
 L r42
 L r43
 L r44
 L r45
 G r46
 G r47
 G r48
 G r49
 L r50
 L r51
 L r52
 L r53
 E r54
 E r55
 L r56
 L r57
 L r58
 L r59
 L r60
 L r61
 L r62
 L r63
 G r64
 G r65
 G r66
 G r67
COLUMNS
 p_1 r1 1
 p_1 r56 -1
 p_1 r58 -1
 p_1 r64 -1
 p_1 r66 -1
 p_2 r1 1
 p_2 r57 -1
 p_2 r59 -1
 p_2 r65 -1
 p_2 r67 -1
 d_1_1_1 r2 -1
 d_1_1_1 r6 -1
 d_1_1_1 r10 1
 d_1_1_2 r3 -1
 d_1_1_2 r7 -1
 d_1_1_2 r11 1
 d_2_1_1 r4 -1
 d_2_1_1 r8 -1
 d_2_1_1 r12 1
 d_2_1_2 r5 -1
 d_2_1_2 r9 -1
 d_2_1_2 r13 1
 x_1_1_1 r2 1
 x_1_1_1 r16 -1
 x_1_1_1 r17 1
 x_1_1_1 r46 -1
 x_1_1_1 r50 -1
 x_1_1_2 r3 1
 x_1_1_2 r16 -2
 x_1_1_2 r17 -0.5
 x_1_1_2 r47 -1
 x_1_1_2 r51 -1
 x_2_1_1 r4 1
 x_2_1_1 r18 -1
 x_2_1_1 r19 1
 x_2_1_1 r48 -1
 x_2_1_1 r52 -1
 x_2_1_2 r5 1
 x_2_1_2 r18 -2
 x_2_1_2 r19 -0.5
 x_2_1_2 r49 -1
 x_2_1_2 r53 -1
 s_1_1_1 r6 1
 s_1_1_1 r10 1
 s_1_1_1 r14 4
 s_1_1_2 r7 1
 s_1_1_2 r11 1
 s_1_1_2 r14 4
 s_2_1_1 r8 1
 s_2_1_1 r12 1
 s_2_1_1 r15 4
 s_2_1_2 r9 1
 s_2_1_2 r13 1
 s_2_1_2 r15 4
 a_1_1_1_1_1 r16 1
 a_1_1_1_1_1 r34 -1
 a_1_1_1_1_1 r42 -1
 a_1_1_1_1_2 r17 1
 a_1_1_1_1_2 r35 -1
 a_1_1_1_1_2 r43 -1
 a_1_2_1_1_1 r18 1
 a_1_2_1_1_1 r36 -1
 a_1_2_1_1_1 r44 -1
 a_1_2_1_1_2 r19 1
 a_1_2_1_1_2 r37 -1
 a_1_2_1_1_2 r45 -1
 h_1_1_1_2_1 r20 -1
 h_1_1_1_2_1 r21 1
 h_1_1_1_2_1 r34 1
 h_1_1_1_2_1 r38 1
 h_1_1_1_2_1 r42 1
 h_1_1_1_2_2 r20 1
 h_1_1_1_2_2 r21 -1
 h_1_1_1_2_2 r35 1
 h_1_1_1_2_2 r39 1
 h_1_1_1_2_2 r43 1
 h_1_2_1_2_1 r22 -1
 h_1_2_1_2_1 r23 1
 h_1_2_1_2_1 r36 1
 h_1_2_1_2_1 r40 1
 h_1_2_1_2_1 r44 1
 h_1_2_1_2_2 r22 1
 h_1_2_1_2_2 r23 -1
 h_1_2_1_2_2 r37 1
 h_1_2_1_2_2 r41 1
 h_1_2_1_2_2 r45 1
 a_1_1_1_3_1 r20 1
 a_1_1_1_3_1 r30 -1
 a_1_1_1_3_2 r21 1
 a_1_1_1_3_2 r30 1
 a_1_2_1_3_1 r22 1
 a_1_2_1_3_1 r31 -1
 a_1_2_1_3_2 r23 1
 a_1_2_1_3_2 r31 1
 q_1_1_1 r28 2
 q_1_1_1 r56 1
 q_1_1_1 r60 1
 q_1_1_1 r64 1
 q_1_2_1 r28 2
 q_1_2_1 r57 1
 q_1_2_1 r61 1
 q_1_2_1 r65 1
 h_2_1_1_1_1 r24 -1
 h_2_1_1_1_1 r25 1
 h_2_1_1_1_1 r46 1
 h_2_1_1_1_1 r47 1
 h_2_1_1_1_1 r50 1
 h_2_1_1_1_1 r51 1
 h_2_2_1_1_1 r26 -1
 h_2_2_1_1_1 r27 1
 h_2_2_1_1_1 r48 1
 h_2_2_1_1_1 r49 1
 h_2_2_1_1_1 r52 1
 h_2_2_1_1_1 r53 1
 a_2_1_1_2_1 r24 1
 a_2_1_1_2_1 r32 -1
 a_2_1_1_2_2 r25 1
 a_2_1_1_2_2 r32 1
 a_2_2_1_2_1 r26 1
 a_2_2_1_2_1 r33 -1
 a_2_2_1_2_2 r27 1
 a_2_2_1_2_2 r33 1
 q_2_1_1 r29 2
 q_2_1_1 r58 1
 q_2_1_1 r62 1
 q_2_1_1 r66 1
 q_2_2_1 r29 2
 q_2_2_1 r59 1
 q_2_2_1 r63 1
 q_2_2_1 r67 1
 MARKER 'MARKER' 'INTORG'
 l_1_1_1 r30 -3.5000003
 l_1_1_1 r60 -1
 l_1_1_1 r64 -1
 l_1_2_1 r31 -3.5000003
 l_1_2_1 r61 -1
 l_1_2_1 r65 -1
 l_2_1_1 r32 -1.0000001
 l_2_1_1 r62 -1
 l_2_1_1 r66 -1
 l_2_2_1 r33 -1.0000001
 l_2_2_1 r63 -1
 l_2_2_1 r67 -1
 z_1_1_1_2_1 r38 -1.5000001
 z_1_1_1_2_2 r43 0.75000001
 z_1_2_1_2_1 r40 -1.5000001
 z_1_2_1_2_2 r45 0.75000001
 z_2_1_1_1_1_1 r50 0.25000001
 z_2_1_1_1_1_1 r54 1
 z_2_1_1_1_1_2 r51 1.0000001
 z_2_1_1_1_1_2 r54 1
 z_2_2_1_1_1_1 r52 0.25000001
 z_2_2_1_1_1_1 r55 1
 z_2_2_1_1_1_2 r53 1.0000001
 z_2_2_1_1_1_2 r55 1
 MARKER 'MARKER' 'INTEND'
RHS
 RHS r1 1
 RHS r2 1
 RHS r4 1
 RHS r14 1
 RHS r15 1
 RHS r17 0.25
 RHS r19 0.25
 RHS r20 0.5
 RHS r22 0.5
 RHS r24 -0.5
 RHS r25 0.5
 RHS r26 -0.5
 RHS r27 0.5
 RHS r28 1
 RHS r29 1
 RHS r30 -3.5000003
 RHS r31 -3.5000003
 RHS r32 -1.0000001
 RHS r33 -1.0000001
 RHS r43 0.75000001
 RHS r45 0.75000001
 RHS r50 0.25000001
 RHS r51 1.0000001
 RHS r52 0.25000001
 RHS r53 1.0000001
 RHS r54 1
 RHS r55 1
 RHS r64 -1
 RHS r65 -1
 RHS r66 -1
 RHS r67 -1
BOUNDS
 LO BND p_1 0
 UP BND p_1 1
 LO BND p_2 0
 UP BND p_2 1
 LO BND d_1_1_1 -0.25
 UP BND d_1_1_1 0
 LO BND d_1_1_2 0
 UP BND d_1_1_2 0.25
 LO BND d_2_1_1 -0.25
 UP BND d_2_1_1 0
 LO BND d_2_1_2 0
 UP BND d_2_1_2 0.25
 LO BND x_1_1_1 0.75
 UP BND x_1_1_1 1
 LO BND x_1_1_2 0
 UP BND x_1_1_2 0.25
 LO BND x_2_1_1 0.75
 UP BND x_2_1_1 1
 LO BND x_2_1_2 0
 UP BND x_2_1_2 0.25
 LO BND s_1_1_1 0
 UP BND s_1_1_1 0.25
 LO BND s_1_1_2 0
 UP BND s_1_1_2 0.25
 LO BND s_2_1_1 0
 UP BND s_2_1_1 0.25
 LO BND s_2_1_2 0
 UP BND s_2_1_2 0.25
 LO BND a_1_1_1_1_1 0.74999999
 UP BND a_1_1_1_1_1 1.5000001
 LO BND a_1_1_1_1_2 -0.75000001
 UP BND a_1_1_1_1_2 -0.37499999
 LO BND a_1_2_1_1_1 0.74999999
 UP BND a_1_2_1_1_1 1.5000001
 LO BND a_1_2_1_1_2 -0.75000001
 UP BND a_1_2_1_1_2 -0.37499999
 LO BND h_1_1_1_2_1 0.74999999
 UP BND h_1_1_1_2_1 1.5000001
 FX BND h_1_1_1_2_2 0
 LO BND h_1_2_1_2_1 0.74999999
 UP BND h_1_2_1_2_1 1.5000001
 FX BND h_1_2_1_2_2 0
 LO BND a_1_1_1_3_1 1.2499999
 UP BND a_1_1_1_3_1 2.0000001
 LO BND a_1_1_1_3_2 -1.5000001
 UP BND a_1_1_1_3_2 -0.74999999
 LO BND a_1_2_1_3_1 1.2499999
 UP BND a_1_2_1_3_1 2.0000001
 LO BND a_1_2_1_3_2 -1.5000001
 UP BND a_1_2_1_3_2 -0.74999999
 LO BND q_1_1_1 0
 UP BND q_1_1_1 1
 LO BND q_1_2_1 0
 UP BND q_1_2_1 1
 LO BND h_2_1_1_1_1 0.75
 UP BND h_2_1_1_1_1 1
 LO BND h_2_2_1_1_1 0.75
 UP BND h_2_2_1_1_1 1
 LO BND a_2_1_1_2_1 0.24999999
 UP BND a_2_1_1_2_1 0.50000001
 LO BND a_2_1_1_2_2 -0.50000001
 UP BND a_2_1_1_2_2 -0.24999999
 LO BND a_2_2_1_2_1 0.24999999
 UP BND a_2_2_1_2_1 0.50000001
 LO BND a_2_2_1_2_2 -0.50000001
 UP BND a_2_2_1_2_2 -0.24999999
 LO BND q_2_1_1 0
 UP BND q_2_1_1 1
 LO BND q_2_2_1 0
 UP BND q_2_2_1 1
 LO BND l_1_1_1 0
 UP BND l_1_1_1 1
 LO BND l_1_2_1 0
 UP BND l_1_2_1 1
 LO BND l_2_1_1 0
 UP BND l_2_1_1 1
 LO BND l_2_2_1 0
 UP BND l_2_2_1 1
 LO BND z_1_1_1_2_1 0
 UP BND z_1_1_1_2_1 1
 LO BND z_1_1_1_2_2 0
 UP BND z_1_1_1_2_2 1
 LO BND z_1_2_1_2_1 0
 UP BND z_1_2_1_2_1 1
 LO BND z_1_2_1_2_2 0
 UP BND z_1_2_1_2_2 1
 LO BND z_2_1_1_1_1_1 0
 UP BND z_2_1_1_1_1_1 1
 LO BND z_2_1_1_1_1_2 0
 UP BND z_2_1_1_1_1_2 1
 LO BND z_2_2_1_1_1_1 0
 UP BND z_2_2_1_1_1_1 1
 LO BND z_2_2_1_1_1_2 0
 UP BND z_2_2_1_1_1_2 1
ENDATA
