"""What all other rooms build on."""
