Minimize
 obj: x
Subject To
 c: x >= 1
End
