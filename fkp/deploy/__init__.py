"""Models outside of Keras: export, runtimes, time, submission."""
