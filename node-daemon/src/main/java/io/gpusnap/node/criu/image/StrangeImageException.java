package io.gpusnap.node.criu.image;

/** An image is not as this version of the reader knows it. Nothing is wrong with it for CRIU. */
final class StrangeImageException extends Exception {

    private static final long serialVersionUID = 1;

    StrangeImageException(String message) {
        super(message);
    }
}
