"""What a view asks the kernel to do, where that takes more than the protocol loop may."""
