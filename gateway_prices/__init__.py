"""What AWS and the providers charge, as estimates, and what AWS allows: for synth and the command line, never in Lambda."""
