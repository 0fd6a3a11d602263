package io.gpusnap.service.platform.problem;

import java.util.List;

/** A refusal with a code; it leaves as a problem with the code's status. */
public final class ApiException extends RuntimeException {
    private final ErrorCode code;
    private final transient List<Violation> violations;

    /** @param detail what exactly was refused and why, for a person */
    public ApiException(ErrorCode code, String detail) {
        this(code, detail, List.of());
    }

    /** @param violations which parts of the body are meant */
    public ApiException(ErrorCode code, String detail, List<Violation> violations) {
        super(detail);
        this.code = code;
        this.violations = List.copyOf(violations);
    }

    public ErrorCode code() {
        return code;
    }

    public String detail() {
        return String.valueOf(getMessage());
    }

    public List<Violation> violations() {
        return violations;
    }
}
