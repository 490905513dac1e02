"""Numbers that others have published, each with its source; nothing here is ours."""

import numpy as np

# Paper A (Dileep, Bolla and Ethiraj, "Revisiting Facial Key Point Detection"), section 3.1 and
# figure 1: rows of Kaggle's training.csv.
KAGGLE_ROWS = {"rows": 7049, "complete (%)": 30.36, "incomplete (%)": 69.64}

# Paper A, table 1: architecture, the model of ours that it is, total parameters, size of the saved
# model in MB. (Its MobileNetV2 counts the backbone alone.)
PAPER_A_SIZES = (
    ("Baseline CNN", "baseline_cnn", 1_890_366, 7.6),
    ("Manually optimised CNN", "manual_cnn", 235_834, 1.0),
    ("Keras optimised CNN, no imputation", "tuned_cnn", 306_750, 1.27),
    ("Keras optimised CNN, forward fill", "tuned_cnn_ffill", 246_478, 1.03),
    ("Keras optimised CNN, KNN", "tuned_cnn_ffill", 246_062, 1.58),
    ("Keras optimised CNN, augmentation", "tuned_cnn_augment", 364_318, 1.50),
    ("MobileNetV2", "mobilenet_v2", 2_257_984, 9.66),
    ("NASNetMobile", "nasnet_mobile", 4_301_426, 18.48),
)

# Paper A, table 3: seconds for 100 images on a Colab CPU, by the treatment that the model was
# trained after: none, forward fill, KNN, augmentation; with the models of ours that these are.
_TUNED = ("tuned_cnn", "tuned_cnn_ffill", "tuned_cnn_ffill", "tuned_cnn_augment")
PAPER_A_SECONDS = (
    ("CNN, baseline", 4 * ("baseline_cnn",), (1.99, 1.97, 1.98, 2.01)),
    ("CNN, manually tuned", 4 * ("manual_cnn",), (1.4, 1.33, 1.34, 1.34)),
    ("CNN, Keras tuned", _TUNED, (2.72, 1.52, 4.19, 3.58)),
    ("MobileNetV2, frozen", 4 * ("mobilenet_v2",), (0.89, 0.86, 1.0, 0.83)),
    ("MobileNetV2, fine-tuned", 4 * ("mobilenet_v2",), (0.84, 0.82, 0.82, 0.88)),
    ("NASNetMobile, frozen", 4 * ("nasnet_mobile",), (8.46, 8.4, 8.17, 7.87)),
    ("NASNetMobile, fine-tuned", 4 * ("nasnet_mobile",), (7.95, 7.96, 8.01, 7.68)),
)


def seconds_ratios(model: str) -> dict[str, str]:
    """How many times as fast as other models paper A's table 3 says that `model` is.

    Per treatment, the other's seconds over the mean of the model's lines (frozen, fine-tuned).

    Returns:
        other model -> "low to high" over lines and treatments, two decimals.
    """
    own = np.mean([times for _, names, times in PAPER_A_SECONDS if model in names], axis=0)
    found = {}
    for _, names, times in PAPER_A_SECONDS:
        for other, ratio in zip(names, np.divide(times, own), strict=True):
            found.setdefault(other, []).append(ratio)
    return {n: f"{min(r):.2f} to {max(r):.2f}" for n, r in found.items() if n != model}


# Paper A, table 2: the signs in its cells (no imputation, forward fill, KNN, augmentation); ""
# where one is blank, "~" for its words "similar performance". The paper does not say what a sign
# compares with; its text compares fine-tuned with frozen backbones.
PAPER_A_SIGNS = {
    "mobilenet_v2, frozen": ("~", "~", "+", "+"),
    "mobilenet_v2, fine-tuned": ("", "", "++", "+++"),
    "nasnet_mobile, frozen": ("~", "~", "~", "+"),
    "nasnet_mobile, fine-tuned": ("", "", "~", "+++"),
}

# What the notebooks published with paper A report on their own validation rows, which are cut out
# of the augmented rows (see fkp.papers.leak): RMSE, px.
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
    ("LeNet, as paper A cites it", "not said", 1.77),
    ("ResNet, as paper A cites it", "not said", 2.23),
    ("Custom architectures, as paper A cites them", "not said", 1.97),
    ("A CNN of 14 layers, as paper A cites it", "not said", 1.75),
    ("Inception, as paper A cites it", "not said", 2.91),
)

# Paper B (Zupančič, "Facial Landmarks Detection with ResNet18"), section V: MSE in px^2 over 194
# points on images of 256 px; above the second figure it speaks of outliers among the test images.
PAPER_B_MSE = {"validation": 8.00, "test": 27.84}
PAPER_B_TABLE = {
    "ResNet18": {
        "mse_256px": PAPER_B_MSE["test"],
        "mse_256px_validation": PAPER_B_MSE["validation"],
    }
}
PAPER_B_OUTLIER = 200

# Paper C, table 1: mean squared error (the paper does not say of which faces) and validation loss,
# px^2 of its images of 256 px, 44 points; named as in `fkp.measure.landmarks`.
PAPER_C_TABLE = {
    "CNN": {"mse_256px": 132.62, "mse_256px_validation": 47.94},
    "cascade regression": {"mse_256px": 81.67, "mse_256px_validation": 35.50},
    "ResNet": {"mse_256px": 20.40, "mse_256px_validation": 48.53},
}

# Paper D, table 1: mean squared error of normalised coordinates, NME (%) and points within 3 and
# 5 px (%). The paper names neither the normaliser of the NME nor the size of the images whose
# pixels it counts nor the faces of the last three. Named as in `fkp.measure.landmarks`.
PAPER_D_TABLE = {
    "ResNet18": {
        "nmse_training": 0.0009,
        "nmse_validation": 0.0012,
        "nme_ocular": 3.28,
        "within_3px": 95.4,
        "within_5px": 98.2,
    },
}
LANDMARK_TABLES = {"B": PAPER_B_TABLE, "C": PAPER_C_TABLE, "D": PAPER_D_TABLE}
LANDMARK_REMARKS = {
    "B": "Paper B: 194 points; it validates on copies of trained faces.",
    "C": "Paper C does not say of which faces its mean squared error is.",
    "D": "Paper D names neither the normaliser of its NME nor its faces, nor the size in pixels.",
}

# 300-W, 68 points, trained on all 3148 official training faces: inter-ocular NME (%) of the common
# test faces (LFPW and Helen), the challenge (iBUG) and both. From the papers named and their later
# comparisons; None = not found. "3.3" is rounded.
W300_NME = (
    # 224 px; https://github.com/cunjian/pytorch_face_landmark
    ("ResNet-18, coordinates regressed (Chen)", 3.73, 7.14, 4.39),
    ("MobileNetV2, coordinates regressed (Chen)", 3.70, 7.27, 4.39),
    ("PIPNet, ResNet-18 (Jin et al., 2021)", None, None, 3.3),
    ("HRNetV2-W18 (Sun et al., 2019)", 2.91, 5.11, 3.34),
    ("STAR (Zhou et al., 2023)", 2.52, 4.32, 2.87),
    ("D-ViT", None, None, 2.85),
)
# Those that paper D's section 3.2 compares itself with.
PAPER_D_RIVALS = ("HRNetV2-W18 (Sun et al., 2019)", "D-ViT")
