"""What words mean to the reader: a dictionary made from what capabilities declare and from one data file a language. It decides nothing."""
