"""What runs by itself: intake, promotion on request, backup."""
