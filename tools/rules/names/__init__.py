"""What things are called: names by convention, the nearest name to one that does not exist, and regions as people say them."""
