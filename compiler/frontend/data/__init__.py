"""Reading labelled points: npz, csv, idx and png files, and points written in the query itself."""
