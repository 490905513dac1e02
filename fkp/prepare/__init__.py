"""What training rows become: imputed, augmented, treated."""
