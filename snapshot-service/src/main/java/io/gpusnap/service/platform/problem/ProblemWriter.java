package io.gpusnap.service.platform.problem;

import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.http.HttpHeaders;
import org.springframework.http.MediaType;
import org.springframework.stereotype.Component;
import tools.jackson.databind.json.JsonMapper;

/** Writes a {@link Problem} where no controller is involved: filters, security, the error page. */
@Component
public class ProblemWriter {
    static final String DATABASE_RETRY_SECONDS = "1";
    private static final Logger LOG = LoggerFactory.getLogger(ProblemWriter.class);

    private final JsonMapper json;

    ProblemWriter(JsonMapper json) {
        this.json = json;
    }

    /** Sets status and body; does nothing when the answer is already on its way. */
    public void write(HttpServletRequest request, HttpServletResponse response, ErrorCode code, String detail)
            throws IOException {
        write(response, code, detail, request.getRequestURI());
    }

    /** For a request that failed before a controller could change anything. */
    public void writeDatabaseUnavailable(HttpServletRequest request, HttpServletResponse response, Exception why)
            throws IOException {
        LOG.warn("database failed on {} {}: {}", request.getMethod(), request.getRequestURI(), why.toString());
        response.setHeader(HttpHeaders.RETRY_AFTER, DATABASE_RETRY_SECONDS);
        write(
                request,
                response,
                ErrorCode.DATABASE_UNAVAILABLE,
                "The database did not answer; nothing was changed by this request.");
    }

    void write(HttpServletResponse response, ErrorCode code, String detail, String path) throws IOException {
        if (response.isCommitted()) {
            return;
        }
        response.resetBuffer();
        response.setStatus(code.status().value());
        response.setContentType(MediaType.APPLICATION_PROBLEM_JSON_VALUE);
        response.setCharacterEncoding(StandardCharsets.UTF_8);
        response.getOutputStream().write(json.writeValueAsBytes(Problem.of(code, detail, path, List.of())));
    }
}
