"""Numbers that others have published, each with its source; nothing here is ours."""

# Paper A (Dileep, Bolla and Ethiraj, "Revisiting Facial Key Point Detection"), section 3.1 and
# figure 1: rows of Kaggle's training.csv.
KAGGLE_ROWS = {"rows": 7049, "complete (%)": 30.36, "incomplete (%)": 69.64}

# Paper A, table 1: architecture, the model of ours that it is, total parameters, size of the saved
# model in MB. (Its MobileNetV2 counts the backbone alone.)
PAPER_A_SIZES = (
    ("Baseline CNN", "baseline_cnn", 1_890_366, 7.6),
    ("Manually optimised CNN", "manual_cnn", 235_834, 1.0),
    ("Keras optimised CNN, no imputation", "tuned_cnn", 306_750, 1.27),
    ("Keras optimised CNN, forward fill", "", 246_478, 1.03),
    ("Keras optimised CNN, KNN", "", 246_062, 1.58),
    ("Keras optimised CNN, augmentation", "", 364_318, 1.50),
    ("MobileNetV2", "mobilenet_v2", 2_257_984, 9.66),
    ("NASNetMobile", "nasnet_mobile", 4_301_426, 18.48),
)

# Paper A, table 3: seconds for 100 images on a Colab CPU, by the treatment that the model was
# trained after: none, forward fill, KNN, augmentation.
PAPER_A_SECONDS = (
    ("CNN, baseline", "baseline_cnn", (1.99, 1.97, 1.98, 2.01)),
    ("CNN, manually tuned", "manual_cnn", (1.4, 1.33, 1.34, 1.34)),
    ("CNN, Keras tuned", "tuned_cnn", (2.72, 1.52, 4.19, 3.58)),
    ("MobileNetV2, frozen", "mobilenet_v2", (0.89, 0.86, 1.0, 0.83)),
    ("MobileNetV2, fine-tuned", "mobilenet_v2", (0.84, 0.82, 0.82, 0.88)),
    ("NASNetMobile, frozen", "nasnet_mobile", (8.46, 8.4, 8.17, 7.87)),
    ("NASNetMobile, fine-tuned", "nasnet_mobile", (7.95, 7.96, 8.01, 7.68)),
)

# What the notebooks published with paper A report on their own validation rows, which are cut out
# of the augmented rows (see fkp.leak): RMSE, px.
LEAKY_VALIDATION_RMSE = 1.06

# Kaggle's Facial Keypoints Detection, RMSE in px: what, scored on, RMSE. Leaderboard and public
# write-ups; the private and the public part of the test rows differ.
KAGGLE_SCORES = (
    ("Paper A's notebooks", "own validation rows, leaky", 1.06),
    ("One public solution, complete rows", "own hold-out of complete rows", 1.25),
    ("The same solution", "Kaggle's test rows", 2.87),
    ("Winner", "Kaggle, private", 1.28),
    ("Best single pair of models, 15 and 4 points", "Kaggle, private", 1.35),
    ("Tenth place, about", "Kaggle, private", 1.74),
    ("Best", "Kaggle, public", 1.45),
    ("Column means", "Kaggle's test rows", 3.96),
)
