"""The field's words, explained where a page uses them."""

import re

from markupsafe import Markup, escape

TERMS = {
    "NME": "Normalised mean error: the mean distance of a face's points from their labels, as a "
    "share of a length of that face, here the distance of the eyes.",
    "inter-ocular": "Normalised by the distance of the outer eye corners.",
    "inter-pupil": "Normalised by the distance of the pupils: the same errors look larger.",
    "RMSE": "Root mean squared error of the coordinates, in pixels: large errors weigh more.",
    "MSE": "Mean squared error of the coordinates, in square pixels of the image size named.",
    "AUC": "Area under the curve of the share of faces below an error, up to 8 %; 1 is perfect.",
    "ffill": "Forward fill: a missing label is copied from the row before.",
    "knn": "Nearest neighbours: missing labels are filled in from the most similar rows.",
    "mask": "All rows are trained on; a loss skips the labels that are missing.",
    "augment": "Complete rows and altered copies of them: turned, shifted, brighter, noisy.",
    "jitter": "Faces are altered at random, afresh every time they are seen.",
    "regime": "One of the two ways in which the rows of Kaggle's file were labelled.",
    "bootstrap interval": "95 % of the values that the test faces give when they are drawn again, "
    "with replacement. It knows nothing of other trainings.",
    "seed": "The number that a training's random choices start from. Several seeds show how far "
    "results differ by chance.",
    "stand-in": "Real faces of other collections in the format of Kaggle's file; no figure on it "
    "is one for Kaggle's.",
    "mean face": "No model: the mean of the training labels is predicted for every face.",
    "mean shape": "No model: the mean of the training labels is predicted for every face.",
    "frozen": "A network's layers keep the weights that another task gave them; only the last ones "
    "are trained.",
    "fine-tuned": "All layers of a network that another task has trained are trained on.",
    "int8": "Weights and sums in eight-bit whole numbers: a quarter of the size, and faster.",
    "LiteRT": "The runtime of .tflite files, on phones and computers.",
    "lbf": "Local binary features: small trees look at pixels near a point, one regression moves "
    "all points at once; repeated in stages.",
    "out-of-bag": "Predictions of those trees alone that have not been trained on the face.",
    "leak": "Test or validation faces of which the training has seen a copy.",
    "saliency": "How much each pixel changes the error: |dL/dI|.",
    "crop": "The square cut out of a picture round a face, which the model sees.",
    "stale": "Made by code or versions that have changed since.",
    "multiply-adds": "Multiplications with addition that one image costs, a measure of work.",
}  # fmt: skip
_ANY = re.compile(
    rf"(?<![\w-])({'|'.join(sorted(map(re.escape, TERMS), key=len, reverse=True))})(?![\w-])"
)


def explain(text: object) -> Markup:
    """A text as HTML, each known term in it with its explanation on hover."""
    parts = _ANY.split(str(text))
    return Markup("").join(
        Markup('<abbr title="{}">{}</abbr>').format(TERMS[part], part) if i % 2 else escape(part)
        for i, part in enumerate(parts)
    )


def found(html: str) -> dict[str, str]:
    """The terms that a page has explained, in alphabetical order."""
    return {term: TERMS[term] for term in sorted(TERMS, key=str.lower) if f">{term}</abbr>" in html}
