package io.gpusnap.service.platform.problem;

import io.swagger.v3.oas.annotations.Hidden;
import jakarta.servlet.RequestDispatcher;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.Objects;
import org.springframework.boot.webmvc.error.ErrorController;
import org.springframework.http.HttpStatusCode;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;

/** Answers what failed outside of every controller, in the servlet container or a filter. */
@Hidden
@RestController
class ProblemErrorController implements ErrorController {
    private final ProblemWriter problems;

    ProblemErrorController(ProblemWriter problems) {
        this.problems = problems;
    }

    @RequestMapping("${server.error.path:/error}")
    void error(HttpServletRequest request, HttpServletResponse response) throws IOException {
        Object status = request.getAttribute(RequestDispatcher.ERROR_STATUS_CODE);
        Object path = request.getAttribute(RequestDispatcher.ERROR_REQUEST_URI);
        ErrorCode code = status instanceof Integer number
                ? HttpErrors.codeOf(HttpStatusCode.valueOf(number))
                : ErrorCode.NOT_FOUND;
        problems.write(response, code, code.title() + ".", Objects.toString(path, request.getRequestURI()));
    }
}
