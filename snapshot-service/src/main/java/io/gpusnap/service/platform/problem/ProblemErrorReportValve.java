package io.gpusnap.service.platform.problem;

import java.io.IOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.catalina.connector.Request;
import org.apache.catalina.connector.Response;
import org.apache.catalina.valves.ErrorReportValve;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpStatusCode;
import org.springframework.http.MediaType;
import tools.jackson.databind.json.JsonMapper;

/** Answers what Tomcat refuses by itself, such as an address that is none, before any filter of ours sees it. */
public final class ProblemErrorReportValve extends ErrorReportValve {
    private static final int FIRST_ERROR_STATUS = 400;
    private static final JsonMapper JSON = JsonMapper.builder().build();

    @Override
    protected void report(Request request, Response response, @Nullable Throwable thrown) {
        int status = response.getStatus();
        if (status < FIRST_ERROR_STATUS || response.getContentWritten() > 0 || !response.setErrorReported()) {
            return;
        }
        ErrorCode code = HttpErrors.codeOf(HttpStatusCode.valueOf(status));
        Problem problem = Problem.of(
                code, code.title() + ".", request.getRequestURI() == null ? "" : request.getRequestURI(), List.of());
        try {
            response.setContentType(MediaType.APPLICATION_PROBLEM_JSON_VALUE);
            response.setCharacterEncoding(StandardCharsets.UTF_8);
            Writer writer = response.getReporter();
            if (writer != null) {
                writer.write(JSON.writeValueAsString(problem));
                response.finishResponse();
            }
        } catch (IOException clientLeft) {
            if (container.getLogger().isDebugEnabled()) {
                container.getLogger().debug("the caller left before the answer", clientLeft);
            }
        }
    }
}
