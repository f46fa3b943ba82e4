* nothing else
