"""Stage: the four distances between a source and a target (section 3.1 of the paper).

Cosine and MMD compare mean features (means.py); the SVM and the CNN are classifiers that tell source from target, by
features (svm.py) and by pixels (cnn.py), and their distance is their accuracy on images held out.
"""
