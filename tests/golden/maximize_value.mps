* ensc VERSION, -O1, big-m, joint encoding (Gross et al. 2020, Eq. 4 to 8)
* query maximize_value, sha256 of the resolved problem HASH
* member 1 f1: relu.onnx, sha256 HASH
* member 2 f2: pool.onnx, sha256 HASH
* attacker: norm Linf, radius 1, domain [-inf, inf], attacks auto (2)
* points 2, inputs 2, classes 2
* loss: 1 if another class scores at least the true one's score plus 0
* goal: maximize value
* expected: value = 1/2 within 0
* attacks in this file: 2
* answer: the optimum, to be replayed in exact arithmetic
* pass relax: linear relaxation over box and ball; 6 of 6 units keep a choice, 4 of 4 pairs of member and point keep a network
* pass attacks: 2 attacks asked for, 2 kept, ordered
* pass demand: not every member has to be fooled everywhere
* pass merge: no two members or points are the same
* pass fooled: no copy is so large that a solver would gain by it
* rows 92, columns 75, nonzeros 218, integers 24
* names: p_i probability of attack i; d_i_j_k perturbation of coordinate k of point j;
*   x_i_j_k attacked input, s_i_j_k at least |d_i_j_k|, where d_i_j_k does not stand for them;
*   l_c_i_j 1 if member c is fooled;
*   q_c_i_j = p_i l_c_i_j; a_c_i_j_L_n, h_c_i_j_L_n neuron n of layer L; z_c_i_j_L_n its phase;
*   w_c_i_j_m 1 if class m wins; b_i_j_k 1 if coordinate k may change; t the value;
*   g_c_i_j_m_y margin of class m over y; u, k, n slacks and opposites of ordered sets;
*   o sum of the terms of a row that are too small for readers
* rows r1 to r1: sum_i p_i = 1 (Eq. 6)
* rows r2 to r2: p_1 >= p_2 >= ...
* rows r3 to r6: attacked input: denominator (x - d) = numerator of the point
* rows r7 to r14: member 1 (f1), layer 1: a - W x = b
* rows r15 to r18: member 1 (f1): g = f_winner - f_loser
* rows r19 to r22: member 2 (f2): g = f_winner - f_loser
* rows r23 to r24: |X| t <= expected losses of each member (Eq. 1)
* rows r25 to r32: loss 1 implies that the winner scores at least the margin more (Eq. 8)
* rows r33 to r40: h >= a
* rows r41 to r48: h <= upper z
* rows r49 to r56: h <= a - lower (1 - z)
* rows r57 to r64: h >= candidate
* rows r65 to r72: h <= candidate + (U - lower)(1 - z)
* rows r73 to r76: one selector of a maximum
* rows r77 to r84: q <= p
* rows r85 to r92: q <= l
* the objective was to be maximized: this file minimizes its negative
NAME joint FREE
ROWS
 N obj
 E r1
 G r2
 E r3
 E r4
 E r5
 E r6
 E r7
 E r8
 E r9
 E r10
 E r11
 E r12
 E r13
 E r14
 E r15
 E r16
 E r17
 E r18
 E r19
 E r20
 E r21
 E r22
 G r23
 G r24
 G r25
 G r26
 G r27
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
 G r38
 G r39
 G r40
 L r41
 L r42
 L r43
 L r44
 L r45
 L r46
 L r47
 L r48
 L r49
 L r50
 L r51
 L r52
 L r53
 L r54
 L r55
 L r56
 G r57
 G r58
 G r59
 G r60
 G r61
 G r62
 G r63
 G r64
 L r65
 L r66
 L r67
 L r68
 L r69
 L r70
 L r71
 L r72
 E r73
 E r74
 E r75
 E r76
 L r77
 L r78
 L r79
 L r80
 L r81
 L r82
 L r83
 L r84
 L r85
 L r86
 L r87
 L r88
 L r89
 L r90
 L r91
 L r92
COLUMNS
 p_1 r1 1
 p_1 r2 1
 p_1 r77 -1
 p_1 r78 -1
 p_1 r81 -1
 p_1 r82 -1
 p_2 r1 1
 p_2 r2 -1
 p_2 r79 -1
 p_2 r80 -1
 p_2 r83 -1
 p_2 r84 -1
 d_1_1_1 r3 -1
 d_1_1_2 r7 -2
 d_1_1_2 r8 -0.5
 d_1_1_2 r58 -1
 d_1_1_2 r66 -1
 d_1_2_1 r9 -1
 d_1_2_1 r10 1
 d_1_2_1 r59 -1
 d_1_2_1 r67 -1
 d_1_2_2 r4 -1
 d_2_1_1 r5 -1
 d_2_1_2 r11 -2
 d_2_1_2 r12 -0.5
 d_2_1_2 r62 -1
 d_2_1_2 r70 -1
 d_2_2_1 r13 -1
 d_2_2_1 r14 1
 d_2_2_1 r63 -1
 d_2_2_1 r71 -1
 d_2_2_2 r6 -1
 x_1_1_1 r3 1
 x_1_1_1 r7 -1
 x_1_1_1 r8 1
 x_1_1_1 r57 -1
 x_1_1_1 r65 -1
 x_1_2_2 r4 1
 x_1_2_2 r9 -2
 x_1_2_2 r10 -0.5
 x_1_2_2 r60 -1
 x_1_2_2 r68 -1
 x_2_1_1 r5 1
 x_2_1_1 r11 -1
 x_2_1_1 r12 1
 x_2_1_1 r61 -1
 x_2_1_1 r69 -1
 x_2_2_2 r6 1
 x_2_2_2 r13 -2
 x_2_2_2 r14 -0.5
 x_2_2_2 r64 -1
 x_2_2_2 r72 -1
 a_1_1_1_1_1 r7 1
 a_1_1_1_1_1 r33 -1
 a_1_1_1_1_1 r49 -1
 a_1_1_1_1_2 r8 1
 a_1_1_1_1_2 r34 -1
 a_1_1_1_1_2 r50 -1
 a_1_1_2_1_1 r9 1
 a_1_1_2_1_1 r35 -1
 a_1_1_2_1_1 r51 -1
 a_1_1_2_1_2 r10 1
 a_1_1_2_1_2 r36 -1
 a_1_1_2_1_2 r52 -1
 a_1_2_1_1_1 r11 1
 a_1_2_1_1_1 r37 -1
 a_1_2_1_1_1 r53 -1
 a_1_2_1_1_2 r12 1
 a_1_2_1_1_2 r38 -1
 a_1_2_1_1_2 r54 -1
 a_1_2_2_1_1 r13 1
 a_1_2_2_1_1 r39 -1
 a_1_2_2_1_1 r55 -1
 a_1_2_2_1_2 r14 1
 a_1_2_2_1_2 r40 -1
 a_1_2_2_1_2 r56 -1
 h_1_1_1_2_1 r15 2
 h_1_1_1_2_1 r33 1
 h_1_1_1_2_1 r41 1
 h_1_1_1_2_1 r49 1
 h_1_1_1_2_2 r15 -2
 h_1_1_1_2_2 r34 1
 h_1_1_1_2_2 r42 1
 h_1_1_1_2_2 r50 1
 h_1_1_2_2_1 r16 -2
 h_1_1_2_2_1 r35 1
 h_1_1_2_2_1 r43 1
 h_1_1_2_2_1 r51 1
 h_1_1_2_2_2 r16 2
 h_1_1_2_2_2 r36 1
 h_1_1_2_2_2 r44 1
 h_1_1_2_2_2 r52 1
 h_1_2_1_2_1 r17 2
 h_1_2_1_2_1 r37 1
 h_1_2_1_2_1 r45 1
 h_1_2_1_2_1 r53 1
 h_1_2_1_2_2 r17 -2
 h_1_2_1_2_2 r38 1
 h_1_2_1_2_2 r46 1
 h_1_2_1_2_2 r54 1
 h_1_2_2_2_1 r18 -2
 h_1_2_2_2_1 r39 1
 h_1_2_2_2_1 r47 1
 h_1_2_2_2_1 r55 1
 h_1_2_2_2_2 r18 2
 h_1_2_2_2_2 r40 1
 h_1_2_2_2_2 r48 1
 h_1_2_2_2_2 r56 1
 g_1_1_1_2_1 r15 1
 g_1_1_1_2_1 r25 1
 g_1_1_2_1_2 r16 1
 g_1_1_2_1_2 r26 1
 g_1_2_1_2_1 r17 1
 g_1_2_1_2_1 r27 1
 g_1_2_2_1_2 r18 1
 g_1_2_2_1_2 r28 1
 q_1_1_1 r23 1
 q_1_1_1 r77 1
 q_1_1_1 r85 1
 q_1_1_2 r23 1
 q_1_1_2 r78 1
 q_1_1_2 r86 1
 q_1_2_1 r23 1
 q_1_2_1 r79 1
 q_1_2_1 r87 1
 q_1_2_2 r23 1
 q_1_2_2 r80 1
 q_1_2_2 r88 1
 h_2_1_1_1_1 r19 2
 h_2_1_1_1_1 r57 1
 h_2_1_1_1_1 r58 1
 h_2_1_1_1_1 r65 1
 h_2_1_1_1_1 r66 1
 h_2_1_2_1_1 r20 -2
 h_2_1_2_1_1 r59 1
 h_2_1_2_1_1 r60 1
 h_2_1_2_1_1 r67 1
 h_2_1_2_1_1 r68 1
 h_2_2_1_1_1 r21 2
 h_2_2_1_1_1 r61 1
 h_2_2_1_1_1 r62 1
 h_2_2_1_1_1 r69 1
 h_2_2_1_1_1 r70 1
 h_2_2_2_1_1 r22 -2
 h_2_2_2_1_1 r63 1
 h_2_2_2_1_1 r64 1
 h_2_2_2_1_1 r71 1
 h_2_2_2_1_1 r72 1
 g_2_1_1_2_1 r19 1
 g_2_1_1_2_1 r29 1
 g_2_1_2_1_2 r20 1
 g_2_1_2_1_2 r30 1
 g_2_2_1_2_1 r21 1
 g_2_2_1_2_1 r31 1
 g_2_2_2_1_2 r22 1
 g_2_2_2_1_2 r32 1
 q_2_1_1 r24 1
 q_2_1_1 r81 1
 q_2_1_1 r89 1
 q_2_1_2 r24 1
 q_2_1_2 r82 1
 q_2_1_2 r90 1
 q_2_2_1 r24 1
 q_2_2_1 r83 1
 q_2_2_1 r91 1
 q_2_2_2 r24 1
 q_2_2_2 r84 1
 q_2_2_2 r92 1
 t obj -1
 t r23 -2
 t r24 -2
 MARKER 'MARKER' 'INTORG'
 l_1_1_1 r25 -8.5000002
 l_1_1_1 r85 -1
 l_1_1_2 r26 -4.5000002
 l_1_1_2 r86 -1
 l_1_2_1 r27 -8.5000002
 l_1_2_1 r87 -1
 l_1_2_2 r28 -4.5000002
 l_1_2_2 r88 -1
 l_2_1_1 r29 -3.0000002
 l_2_1_1 r89 -1
 l_2_1_2 r30 -1.0000002
 l_2_1_2 r90 -1
 l_2_2_1 r31 -3.0000002
 l_2_2_1 r91 -1
 l_2_2_2 r32 -1.0000002
 l_2_2_2 r92 -1
 z_1_1_1_2_1 r41 -4.0000001
 z_1_1_1_2_1 r49 2.0000001
 z_1_1_1_2_2 r42 -0.75000001
 z_1_1_1_2_2 r50 2.2500001
 z_1_1_2_2_1 r43 -5.0000001
 z_1_1_2_2_1 r51 1.0000001
 z_1_1_2_2_2 r44 -2.2500001
 z_1_1_2_2_2 r52 0.75000001
 z_1_2_1_2_1 r45 -4.0000001
 z_1_2_1_2_1 r53 2.0000001
 z_1_2_1_2_2 r46 -0.75000001
 z_1_2_1_2_2 r54 2.2500001
 z_1_2_2_2_1 r47 -5.0000001
 z_1_2_2_2_1 r55 1.0000001
 z_1_2_2_2_2 r48 -2.2500001
 z_1_2_2_2_2 r56 0.75000001
 z_2_1_1_1_1_1 r65 2.0000001
 z_2_1_1_1_1_1 r73 1
 z_2_1_1_1_1_2 r66 3.0000001
 z_2_1_1_1_1_2 r73 1
 z_2_1_2_1_1_1 r67 3.0000001
 z_2_1_2_1_1_1 r74 1
 z_2_1_2_1_1_2 r68 2.0000001
 z_2_1_2_1_1_2 r74 1
 z_2_2_1_1_1_1 r69 2.0000001
 z_2_2_1_1_1_1 r75 1
 z_2_2_1_1_1_2 r70 3.0000001
 z_2_2_1_1_1_2 r75 1
 z_2_2_2_1_1_1 r71 3.0000001
 z_2_2_2_1_1_1 r76 1
 z_2_2_2_1_1_2 r72 2.0000001
 z_2_2_2_1_1_2 r76 1
 MARKER 'MARKER' 'INTEND'
RHS
 RHS r1 1
 RHS r3 1
 RHS r4 1
 RHS r5 1
 RHS r6 1
 RHS r8 0.25
 RHS r10 0.25
 RHS r12 0.25
 RHS r14 0.25
 RHS r15 -0.5
 RHS r16 0.5
 RHS r17 -0.5
 RHS r18 0.5
 RHS r19 1
 RHS r20 -1
 RHS r21 1
 RHS r22 -1
 RHS r25 -8.5000002
 RHS r26 -4.5000002
 RHS r27 -8.5000002
 RHS r28 -4.5000002
 RHS r29 -3.0000002
 RHS r30 -1.0000002
 RHS r31 -3.0000002
 RHS r32 -1.0000002
 RHS r49 2.0000001
 RHS r50 2.2500001
 RHS r51 1.0000001
 RHS r52 0.75000001
 RHS r53 2.0000001
 RHS r54 2.2500001
 RHS r55 1.0000001
 RHS r56 0.75000001
 RHS r65 2.0000001
 RHS r66 3.0000001
 RHS r67 3.0000001
 RHS r68 2.0000001
 RHS r69 2.0000001
 RHS r70 3.0000001
 RHS r71 3.0000001
 RHS r72 2.0000001
 RHS r73 1
 RHS r74 1
 RHS r75 1
 RHS r76 1
BOUNDS
 LO BND p_1 0
 UP BND p_1 1
 LO BND p_2 0
 UP BND p_2 1
 LO BND d_1_1_1 -1
 UP BND d_1_1_1 1
 LO BND d_1_1_2 -1
 UP BND d_1_1_2 1
 LO BND d_1_2_1 -1
 UP BND d_1_2_1 1
 LO BND d_1_2_2 -1
 UP BND d_1_2_2 1
 LO BND d_2_1_1 -1
 UP BND d_2_1_1 1
 LO BND d_2_1_2 -1
 UP BND d_2_1_2 1
 LO BND d_2_2_1 -1
 UP BND d_2_2_1 1
 LO BND d_2_2_2 -1
 UP BND d_2_2_2 1
 LO BND x_1_1_1 0
 UP BND x_1_1_1 2
 LO BND x_1_2_2 0
 UP BND x_1_2_2 2
 LO BND x_2_1_1 0
 UP BND x_2_1_1 2
 LO BND x_2_2_2 0
 UP BND x_2_2_2 2
 LO BND a_1_1_1_1_1 -2.0000001
 UP BND a_1_1_1_1_1 4.0000001
 LO BND a_1_1_1_1_2 -2.2500001
 UP BND a_1_1_1_1_2 0.75000001
 LO BND a_1_1_2_1_1 -1.0000001
 UP BND a_1_1_2_1_1 5.0000001
 LO BND a_1_1_2_1_2 -0.75000001
 UP BND a_1_1_2_1_2 2.2500001
 LO BND a_1_2_1_1_1 -2.0000001
 UP BND a_1_2_1_1_1 4.0000001
 LO BND a_1_2_1_1_2 -2.2500001
 UP BND a_1_2_1_1_2 0.75000001
 LO BND a_1_2_2_1_1 -1.0000001
 UP BND a_1_2_2_1_1 5.0000001
 LO BND a_1_2_2_1_2 -0.75000001
 UP BND a_1_2_2_1_2 2.2500001
 LO BND h_1_1_1_2_1 0
 UP BND h_1_1_1_2_1 4.0000001
 LO BND h_1_1_1_2_2 0
 UP BND h_1_1_1_2_2 0.75000001
 LO BND h_1_1_2_2_1 0
 UP BND h_1_1_2_2_1 5.0000001
 LO BND h_1_1_2_2_2 0
 UP BND h_1_1_2_2_2 2.2500001
 LO BND h_1_2_1_2_1 0
 UP BND h_1_2_1_2_1 4.0000001
 LO BND h_1_2_1_2_2 0
 UP BND h_1_2_1_2_2 0.75000001
 LO BND h_1_2_2_2_1 0
 UP BND h_1_2_2_2_1 5.0000001
 LO BND h_1_2_2_2_2 0
 UP BND h_1_2_2_2_2 2.2500001
 LO BND g_1_1_1_2_1 -8.5000001
 UP BND g_1_1_1_2_1 1.0000001
 LO BND g_1_1_2_1_2 -4.5000001
 UP BND g_1_1_2_1_2 10.000001
 LO BND g_1_2_1_2_1 -8.5000001
 UP BND g_1_2_1_2_1 1.0000001
 LO BND g_1_2_2_1_2 -4.5000001
 UP BND g_1_2_2_1_2 10.000001
 LO BND q_1_1_1 0
 UP BND q_1_1_1 1
 LO BND q_1_1_2 0
 UP BND q_1_1_2 1
 LO BND q_1_2_1 0
 UP BND q_1_2_1 1
 LO BND q_1_2_2 0
 UP BND q_1_2_2 1
 LO BND h_2_1_1_1_1 0
 UP BND h_2_1_1_1_1 2
 LO BND h_2_1_2_1_1 0
 UP BND h_2_1_2_1_1 2
 LO BND h_2_2_1_1_1 0
 UP BND h_2_2_1_1_1 2
 LO BND h_2_2_2_1_1 0
 UP BND h_2_2_2_1_1 2
 LO BND g_2_1_1_2_1 -3.0000001
 UP BND g_2_1_1_2_1 1.0000001
 LO BND g_2_1_2_1_2 -1.0000001
 UP BND g_2_1_2_1_2 3.0000001
 LO BND g_2_2_1_2_1 -3.0000001
 UP BND g_2_2_1_2_1 1.0000001
 LO BND g_2_2_2_1_2 -1.0000001
 UP BND g_2_2_2_1_2 3.0000001
 LO BND q_2_1_1 0
 UP BND q_2_1_1 1
 LO BND q_2_1_2 0
 UP BND q_2_1_2 1
 LO BND q_2_2_1 0
 UP BND q_2_2_1 1
 LO BND q_2_2_2 0
 UP BND q_2_2_2 1
 LO BND t 0
 UP BND t 1
 LO BND l_1_1_1 0
 UP BND l_1_1_1 1
 LO BND l_1_1_2 0
 UP BND l_1_1_2 1
 LO BND l_1_2_1 0
 UP BND l_1_2_1 1
 LO BND l_1_2_2 0
 UP BND l_1_2_2 1
 LO BND l_2_1_1 0
 UP BND l_2_1_1 1
 LO BND l_2_1_2 0
 UP BND l_2_1_2 1
 LO BND l_2_2_1 0
 UP BND l_2_2_1 1
 LO BND l_2_2_2 0
 UP BND l_2_2_2 1
 LO BND z_1_1_1_2_1 0
 UP BND z_1_1_1_2_1 1
 LO BND z_1_1_1_2_2 0
 UP BND z_1_1_1_2_2 1
 LO BND z_1_1_2_2_1 0
 UP BND z_1_1_2_2_1 1
 LO BND z_1_1_2_2_2 0
 UP BND z_1_1_2_2_2 1
 LO BND z_1_2_1_2_1 0
 UP BND z_1_2_1_2_1 1
 LO BND z_1_2_1_2_2 0
 UP BND z_1_2_1_2_2 1
 LO BND z_1_2_2_2_1 0
 UP BND z_1_2_2_2_1 1
 LO BND z_1_2_2_2_2 0
 UP BND z_1_2_2_2_2 1
 LO BND z_2_1_1_1_1_1 0
 UP BND z_2_1_1_1_1_1 1
 LO BND z_2_1_1_1_1_2 0
 UP BND z_2_1_1_1_1_2 1
 LO BND z_2_1_2_1_1_1 0
 UP BND z_2_1_2_1_1_1 1
 LO BND z_2_1_2_1_1_2 0
 UP BND z_2_1_2_1_1_2 1
 LO BND z_2_2_1_1_1_1 0
 UP BND z_2_2_1_1_1_1 1
 LO BND z_2_2_1_1_1_2 0
 UP BND z_2_2_1_1_1_2 1
 LO BND z_2_2_2_1_1_1 0
 UP BND z_2_2_2_1_1_1 1
 LO BND z_2_2_2_1_1_2 0
 UP BND z_2_2_2_1_1_2 1
ENDATA
