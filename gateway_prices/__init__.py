"""What AWS and the providers charge: estimates, for synth and the command line. Nothing of it runs in Lambda."""
