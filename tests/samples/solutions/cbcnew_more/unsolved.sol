Status unknown - objective value 0.00000000
      0 x_1                    0                       0
      1 b.2                    0                       0
      2 z{3}                   0                       0
      3 zero                   0                       0
      4 f_4                    0                       0
