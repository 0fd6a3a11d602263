package io.gpusnap.service.restore.gate;

import io.gpusnap.service.node.Node;
import io.gpusnap.service.platform.problem.ErrorCode;
import java.util.Optional;

/** The image that the process was frozen in is the one that it is to come back in: the caller says which, or else its version. */
final class ImageGate implements Gate {
    @Override
    public String name() {
        return "image";
    }

    @Override
    public Optional<Objection> objection(Demand demand, Node node, Constraints constraints) {
        String wanted = constraints.image();
        if (wanted == null) {
            return Optional.empty();
        }
        return demand.needs()
                .flatMap(needs -> Optional.ofNullable(needs.image()))
                .filter(saved -> !digest(saved).equals(digest(wanted)))
                .map(saved -> new Objection(
                        name(),
                        ErrorCode.INCOMPATIBLE,
                        "The snapshot is of image " + saved + ", it is to come back in " + wanted + "."));
    }

    /** The digest alone where there is one: registries and tags may differ. */
    private static String digest(String image) {
        return image.substring(image.indexOf('@') + 1);
    }
}
