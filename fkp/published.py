"""Numbers that others have published, each with its source; nothing here is ours."""

# Paper A (Dileep, Bolla and Ethiraj, "Revisiting Facial Key Point Detection"), section 3.1 and
# figure 1: rows of Kaggle's training.csv.
KAGGLE_ROWS = {"rows": 7049, "complete (%)": 30.36, "incomplete (%)": 69.64}
