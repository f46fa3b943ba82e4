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
* rows 96, columns 79, nonzeros 226, integers 24
* names: p_i probability of attack i; d_i_j_k perturbation of coordinate k of point j;
*   x_i_j_k attacked input; s_i_j_k at least |d_i_j_k|; l_c_i_j 1 if member c is fooled;
*   q_c_i_j = p_i l_c_i_j; a_c_i_j_L_n, h_c_i_j_L_n neuron n of layer L; z_c_i_j_L_n its phase;
*   w_c_i_j_m 1 if class m wins; b_i_j_k 1 if coordinate k may change; t the value;
*   g_c_i_j_m_y margin of class m over y; u, k, n slacks and opposites of ordered sets;
*   o sum of the terms of a row that are too small for readers
* rows r1 to r1: sum_i p_i = 1 (Eq. 6)
* rows r2 to r2: p_1 >= p_2 >= ...
* rows r3 to r10: attacked input: denominator (x - d) = numerator of the point
* rows r11 to r18: member 1 (f1), layer 1: a - W x = b
* rows r19 to r22: member 1 (f1): g = f_winner - f_loser
* rows r23 to r26: member 2 (f2): g = f_winner - f_loser
* rows r27 to r28: |X| t <= expected losses of each member (Eq. 1)
* rows r29 to r36: loss 1 implies that the winner scores at least the margin more (Eq. 8)
* rows r37 to r44: h >= a
* rows r45 to r52: h <= upper z
* rows r53 to r60: h <= a - lower (1 - z)
* rows r61 to r68: h >= candidate
* rows r69 to r76: h <= candidate + (U - lower)(1 - z)
* rows r77 to r80: one selector of a maximum
* rows r81 to r88: q <= p
* rows r89 to r96: q <= l
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
 E r23
 E r24
 E r25
 E r26
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
 G r41
 G r42
 G r43
 G r44
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
 L r57
 L r58
 L r59
 L r60
 G r61
 G r62
 G r63
 G r64
 G r65
 G r66
 G r67
 G r68
 L r69
 L r70
 L r71
 L r72
 L r73
 L r74
 L r75
 L r76
 E r77
 E r78
 E r79
 E r80
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
 L r93
 L r94
 L r95
 L r96
COLUMNS
 p_1 r1 1
 p_1 r2 1
 p_1 r81 -1
 p_1 r82 -1
 p_1 r85 -1
 p_1 r86 -1
 p_2 r1 1
 p_2 r2 -1
 p_2 r83 -1
 p_2 r84 -1
 p_2 r87 -1
 p_2 r88 -1
 d_1_1_1 r3 -1
 d_1_1_2 r4 -1
 d_1_2_1 r5 -1
 d_1_2_2 r6 -1
 d_2_1_1 r7 -1
 d_2_1_2 r8 -1
 d_2_2_1 r9 -1
 d_2_2_2 r10 -1
 x_1_1_1 r3 1
 x_1_1_1 r11 -1
 x_1_1_1 r12 1
 x_1_1_1 r61 -1
 x_1_1_1 r69 -1
 x_1_1_2 r4 1
 x_1_1_2 r11 -2
 x_1_1_2 r12 -0.5
 x_1_1_2 r62 -1
 x_1_1_2 r70 -1
 x_1_2_1 r5 1
 x_1_2_1 r13 -1
 x_1_2_1 r14 1
 x_1_2_1 r63 -1
 x_1_2_1 r71 -1
 x_1_2_2 r6 1
 x_1_2_2 r13 -2
 x_1_2_2 r14 -0.5
 x_1_2_2 r64 -1
 x_1_2_2 r72 -1
 x_2_1_1 r7 1
 x_2_1_1 r15 -1
 x_2_1_1 r16 1
 x_2_1_1 r65 -1
 x_2_1_1 r73 -1
 x_2_1_2 r8 1
 x_2_1_2 r15 -2
 x_2_1_2 r16 -0.5
 x_2_1_2 r66 -1
 x_2_1_2 r74 -1
 x_2_2_1 r9 1
 x_2_2_1 r17 -1
 x_2_2_1 r18 1
 x_2_2_1 r67 -1
 x_2_2_1 r75 -1
 x_2_2_2 r10 1
 x_2_2_2 r17 -2
 x_2_2_2 r18 -0.5
 x_2_2_2 r68 -1
 x_2_2_2 r76 -1
 a_1_1_1_1_1 r11 1
 a_1_1_1_1_1 r37 -1
 a_1_1_1_1_1 r53 -1
 a_1_1_1_1_2 r12 1
 a_1_1_1_1_2 r38 -1
 a_1_1_1_1_2 r54 -1
 a_1_1_2_1_1 r13 1
 a_1_1_2_1_1 r39 -1
 a_1_1_2_1_1 r55 -1
 a_1_1_2_1_2 r14 1
 a_1_1_2_1_2 r40 -1
 a_1_1_2_1_2 r56 -1
 a_1_2_1_1_1 r15 1
 a_1_2_1_1_1 r41 -1
 a_1_2_1_1_1 r57 -1
 a_1_2_1_1_2 r16 1
 a_1_2_1_1_2 r42 -1
 a_1_2_1_1_2 r58 -1
 a_1_2_2_1_1 r17 1
 a_1_2_2_1_1 r43 -1
 a_1_2_2_1_1 r59 -1
 a_1_2_2_1_2 r18 1
 a_1_2_2_1_2 r44 -1
 a_1_2_2_1_2 r60 -1
 h_1_1_1_2_1 r19 2
 h_1_1_1_2_1 r37 1
 h_1_1_1_2_1 r45 1
 h_1_1_1_2_1 r53 1
 h_1_1_1_2_2 r19 -2
 h_1_1_1_2_2 r38 1
 h_1_1_1_2_2 r46 1
 h_1_1_1_2_2 r54 1
 h_1_1_2_2_1 r20 -2
 h_1_1_2_2_1 r39 1
 h_1_1_2_2_1 r47 1
 h_1_1_2_2_1 r55 1
 h_1_1_2_2_2 r20 2
 h_1_1_2_2_2 r40 1
 h_1_1_2_2_2 r48 1
 h_1_1_2_2_2 r56 1
 h_1_2_1_2_1 r21 2
 h_1_2_1_2_1 r41 1
 h_1_2_1_2_1 r49 1
 h_1_2_1_2_1 r57 1
 h_1_2_1_2_2 r21 -2
 h_1_2_1_2_2 r42 1
 h_1_2_1_2_2 r50 1
 h_1_2_1_2_2 r58 1
 h_1_2_2_2_1 r22 -2
 h_1_2_2_2_1 r43 1
 h_1_2_2_2_1 r51 1
 h_1_2_2_2_1 r59 1
 h_1_2_2_2_2 r22 2
 h_1_2_2_2_2 r44 1
 h_1_2_2_2_2 r52 1
 h_1_2_2_2_2 r60 1
 g_1_1_1_2_1 r19 1
 g_1_1_1_2_1 r29 1
 g_1_1_2_1_2 r20 1
 g_1_1_2_1_2 r30 1
 g_1_2_1_2_1 r21 1
 g_1_2_1_2_1 r31 1
 g_1_2_2_1_2 r22 1
 g_1_2_2_1_2 r32 1
 q_1_1_1 r27 1
 q_1_1_1 r81 1
 q_1_1_1 r89 1
 q_1_1_2 r27 1
 q_1_1_2 r82 1
 q_1_1_2 r90 1
 q_1_2_1 r27 1
 q_1_2_1 r83 1
 q_1_2_1 r91 1
 q_1_2_2 r27 1
 q_1_2_2 r84 1
 q_1_2_2 r92 1
 h_2_1_1_1_1 r23 2
 h_2_1_1_1_1 r61 1
 h_2_1_1_1_1 r62 1
 h_2_1_1_1_1 r69 1
 h_2_1_1_1_1 r70 1
 h_2_1_2_1_1 r24 -2
 h_2_1_2_1_1 r63 1
 h_2_1_2_1_1 r64 1
 h_2_1_2_1_1 r71 1
 h_2_1_2_1_1 r72 1
 h_2_2_1_1_1 r25 2
 h_2_2_1_1_1 r65 1
 h_2_2_1_1_1 r66 1
 h_2_2_1_1_1 r73 1
 h_2_2_1_1_1 r74 1
 h_2_2_2_1_1 r26 -2
 h_2_2_2_1_1 r67 1
 h_2_2_2_1_1 r68 1
 h_2_2_2_1_1 r75 1
 h_2_2_2_1_1 r76 1
 g_2_1_1_2_1 r23 1
 g_2_1_1_2_1 r33 1
 g_2_1_2_1_2 r24 1
 g_2_1_2_1_2 r34 1
 g_2_2_1_2_1 r25 1
 g_2_2_1_2_1 r35 1
 g_2_2_2_1_2 r26 1
 g_2_2_2_1_2 r36 1
 q_2_1_1 r28 1
 q_2_1_1 r85 1
 q_2_1_1 r93 1
 q_2_1_2 r28 1
 q_2_1_2 r86 1
 q_2_1_2 r94 1
 q_2_2_1 r28 1
 q_2_2_1 r87 1
 q_2_2_1 r95 1
 q_2_2_2 r28 1
 q_2_2_2 r88 1
 q_2_2_2 r96 1
 t obj -1
 t r27 -2
 t r28 -2
 MARKER 'MARKER' 'INTORG'
 l_1_1_1 r29 -8.5000002
 l_1_1_1 r89 -1
 l_1_1_2 r30 -4.5000002
 l_1_1_2 r90 -1
 l_1_2_1 r31 -8.5000002
 l_1_2_1 r91 -1
 l_1_2_2 r32 -4.5000002
 l_1_2_2 r92 -1
 l_2_1_1 r33 -3.0000002
 l_2_1_1 r93 -1
 l_2_1_2 r34 -1.0000002
 l_2_1_2 r94 -1
 l_2_2_1 r35 -3.0000002
 l_2_2_1 r95 -1
 l_2_2_2 r36 -1.0000002
 l_2_2_2 r96 -1
 z_1_1_1_2_1 r45 -4.0000001
 z_1_1_1_2_1 r53 2.0000001
 z_1_1_1_2_2 r46 -0.75000001
 z_1_1_1_2_2 r54 2.2500001
 z_1_1_2_2_1 r47 -5.0000001
 z_1_1_2_2_1 r55 1.0000001
 z_1_1_2_2_2 r48 -2.2500001
 z_1_1_2_2_2 r56 0.75000001
 z_1_2_1_2_1 r49 -4.0000001
 z_1_2_1_2_1 r57 2.0000001
 z_1_2_1_2_2 r50 -0.75000001
 z_1_2_1_2_2 r58 2.2500001
 z_1_2_2_2_1 r51 -5.0000001
 z_1_2_2_2_1 r59 1.0000001
 z_1_2_2_2_2 r52 -2.2500001
 z_1_2_2_2_2 r60 0.75000001
 z_2_1_1_1_1_1 r69 2.0000001
 z_2_1_1_1_1_1 r77 1
 z_2_1_1_1_1_2 r70 3.0000001
 z_2_1_1_1_1_2 r77 1
 z_2_1_2_1_1_1 r71 3.0000001
 z_2_1_2_1_1_1 r78 1
 z_2_1_2_1_1_2 r72 2.0000001
 z_2_1_2_1_1_2 r78 1
 z_2_2_1_1_1_1 r73 2.0000001
 z_2_2_1_1_1_1 r79 1
 z_2_2_1_1_1_2 r74 3.0000001
 z_2_2_1_1_1_2 r79 1
 z_2_2_2_1_1_1 r75 3.0000001
 z_2_2_2_1_1_1 r80 1
 z_2_2_2_1_1_2 r76 2.0000001
 z_2_2_2_1_1_2 r80 1
 MARKER 'MARKER' 'INTEND'
RHS
 RHS r1 1
 RHS r3 1
 RHS r6 1
 RHS r7 1
 RHS r10 1
 RHS r12 0.25
 RHS r14 0.25
 RHS r16 0.25
 RHS r18 0.25
 RHS r19 -0.5
 RHS r20 0.5
 RHS r21 -0.5
 RHS r22 0.5
 RHS r23 1
 RHS r24 -1
 RHS r25 1
 RHS r26 -1
 RHS r29 -8.5000002
 RHS r30 -4.5000002
 RHS r31 -8.5000002
 RHS r32 -4.5000002
 RHS r33 -3.0000002
 RHS r34 -1.0000002
 RHS r35 -3.0000002
 RHS r36 -1.0000002
 RHS r53 2.0000001
 RHS r54 2.2500001
 RHS r55 1.0000001
 RHS r56 0.75000001
 RHS r57 2.0000001
 RHS r58 2.2500001
 RHS r59 1.0000001
 RHS r60 0.75000001
 RHS r69 2.0000001
 RHS r70 3.0000001
 RHS r71 3.0000001
 RHS r72 2.0000001
 RHS r73 2.0000001
 RHS r74 3.0000001
 RHS r75 3.0000001
 RHS r76 2.0000001
 RHS r77 1
 RHS r78 1
 RHS r79 1
 RHS r80 1
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
 LO BND x_1_1_2 -1
 UP BND x_1_1_2 1
 LO BND x_1_2_1 -1
 UP BND x_1_2_1 1
 LO BND x_1_2_2 0
 UP BND x_1_2_2 2
 LO BND x_2_1_1 0
 UP BND x_2_1_1 2
 LO BND x_2_1_2 -1
 UP BND x_2_1_2 1
 LO BND x_2_2_1 -1
 UP BND x_2_2_1 1
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
