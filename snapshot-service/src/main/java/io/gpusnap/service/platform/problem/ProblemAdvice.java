package io.gpusnap.service.platform.problem;

import jakarta.servlet.http.HttpServletRequest;
import java.sql.SQLException;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.core.annotation.Order;
import org.springframework.dao.DataAccessResourceFailureException;
import org.springframework.dao.DataIntegrityViolationException;
import org.springframework.dao.OptimisticLockingFailureException;
import org.springframework.dao.PessimisticLockingFailureException;
import org.springframework.dao.TransientDataAccessException;
import org.springframework.dao.UncategorizedDataAccessException;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatusCode;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.http.converter.HttpMessageNotReadableException;
import org.springframework.security.access.AccessDeniedException;
import org.springframework.transaction.CannotCreateTransactionException;
import org.springframework.transaction.TransactionSystemException;
import org.springframework.web.bind.MethodArgumentNotValidException;
import org.springframework.web.bind.MissingRequestValueException;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.RestControllerAdvice;
import org.springframework.web.context.request.ServletWebRequest;
import org.springframework.web.context.request.WebRequest;
import org.springframework.web.method.annotation.HandlerMethodValidationException;
import org.springframework.web.method.annotation.MethodArgumentTypeMismatchException;
import org.springframework.web.servlet.mvc.method.annotation.ResponseEntityExceptionHandler;

/** Turns whatever a controller throws into a {@link Problem}. The only exception mapper of the service. */
@RestControllerAdvice
@Order(0)
class ProblemAdvice extends ResponseEntityExceptionHandler {
    private static final Logger LOG = LoggerFactory.getLogger(ProblemAdvice.class);

    @ExceptionHandler
    ResponseEntity<Object> refused(ApiException e, HttpServletRequest request) {
        return problem(e.code(), e.detail(), request.getRequestURI(), e.violations(), HttpHeaders.EMPTY);
    }

    @ExceptionHandler
    ResponseEntity<Object> lostRace(OptimisticLockingFailureException e, HttpServletRequest request) {
        return problem(
                ErrorCode.PRECONDITION_FAILED,
                "Another request changed the resource at the same time.",
                request.getRequestURI(),
                List.of(),
                HttpHeaders.EMPTY);
    }

    @ExceptionHandler
    ResponseEntity<Object> constraint(DataIntegrityViolationException e, HttpServletRequest request) {
        if (isUnstorableText(e)) {
            return problem(
                    ErrorCode.INVALID_REQUEST,
                    "The request has text that cannot be stored, such as the character NUL.",
                    request.getRequestURI(),
                    List.of(),
                    HttpHeaders.EMPTY);
        }
        // Features translate the constraints that they expect; the text of others may hold row contents.
        LOG.warn("database constraint refused {} {}", request.getMethod(), request.getRequestURI(), e);
        return problem(
                ErrorCode.CONFLICT,
                "The change contradicts what is stored.",
                request.getRequestURI(),
                List.of(),
                HttpHeaders.EMPTY);
    }

    @ExceptionHandler({
        CannotCreateTransactionException.class,
        DataAccessResourceFailureException.class,
        TransientDataAccessException.class,
        PessimisticLockingFailureException.class
    })
    ResponseEntity<Object> database(Exception e, HttpServletRequest request) {
        LOG.warn("database failed on {} {}: {}", request.getMethod(), request.getRequestURI(), e.toString());
        HttpHeaders headers = new HttpHeaders();
        headers.set(HttpHeaders.RETRY_AFTER, ProblemWriter.DATABASE_RETRY_SECONDS);
        return problem(
                ErrorCode.DATABASE_UNAVAILABLE,
                "The database did not answer; nothing was changed by this request, or the change is complete.",
                request.getRequestURI(),
                List.of(),
                headers);
    }

    /** What is in the middle of a transaction when the database dies fails at its commit or at its rollback. */
    @ExceptionHandler({UncategorizedDataAccessException.class, TransactionSystemException.class})
    ResponseEntity<Object> endOfTransaction(Exception e, HttpServletRequest request) throws Exception {
        return isConnectionLost(e) ? database(e, request) : unexpected(e, request);
    }

    private static boolean isConnectionLost(Exception e) {
        for (Throwable cause = e; cause != null; cause = cause.getCause()) {
            if (cause instanceof SQLException sql) {
                // Only the pool gives none: of a connection that it closed because it was broken.
                String state = sql.getSQLState();
                return state == null || state.startsWith("08") || state.startsWith("57P");
            }
        }
        return false;
    }

    @ExceptionHandler
    ResponseEntity<Object> wrongType(MethodArgumentTypeMismatchException e, HttpServletRequest request) {
        String detail = Violations.typeMismatch(e);
        return problem(
                ErrorCode.INVALID_REQUEST,
                "'" + e.getName() + "' " + detail + ".",
                request.getRequestURI(),
                List.of(new Violation(e.getName(), detail)),
                HttpHeaders.EMPTY);
    }

    @ExceptionHandler
    ResponseEntity<Object> unexpected(Exception e, HttpServletRequest request) throws Exception {
        if (e instanceof AccessDeniedException) {
            throw e;
        }
        UUID incident = UUID.randomUUID();
        LOG.error("incident {} on {} {}", incident, request.getMethod(), request.getRequestURI(), e);
        return problem(
                ErrorCode.INTERNAL,
                "Incident " + incident + ".",
                request.getRequestURI(),
                List.of(),
                HttpHeaders.EMPTY);
    }

    @Override
    protected ResponseEntity<Object> handleMethodArgumentNotValid(
            MethodArgumentNotValidException e, HttpHeaders headers, HttpStatusCode status, WebRequest request) {
        return invalid(Violations.of(e), request);
    }

    @Override
    protected ResponseEntity<Object> handleHandlerMethodValidationException(
            HandlerMethodValidationException e, HttpHeaders headers, HttpStatusCode status, WebRequest request) {
        return invalid(Violations.of(e), request);
    }

    @Override
    protected ResponseEntity<Object> handleHttpMessageNotReadable(
            HttpMessageNotReadableException e, HttpHeaders headers, HttpStatusCode status, WebRequest request) {
        UnreadableBody body = UnreadableBody.of(e);
        return problem(body.code(), body.detail(), path(request), body.violations(), HttpHeaders.EMPTY);
    }

    @Override
    protected @Nullable ResponseEntity<Object> handleExceptionInternal(
            Exception e, @Nullable Object body, HttpHeaders headers, HttpStatusCode status, WebRequest request) {
        if (e instanceof MissingRequestValueException missing) {
            return problem(ErrorCode.INVALID_REQUEST, missing.getMessage() + ".", path(request), List.of(), headers);
        }
        ErrorCode code = HttpErrors.codeOf(status);
        return problem(code, HttpErrors.detailOf(e, code, request), path(request), List.of(), headers);
    }

    /** SQLSTATE class 22, "data exception". */
    private static boolean isUnstorableText(DataIntegrityViolationException e) {
        return e.getMostSpecificCause() instanceof SQLException sql
                && String.valueOf(sql.getSQLState()).startsWith("22");
    }

    private static ResponseEntity<Object> invalid(List<Violation> violations, WebRequest request) {
        String first = violations.isEmpty()
                ? "The request is not valid."
                : violations.getFirst().pointer() + " " + violations.getFirst().detail() + ".";
        String more = violations.size() > 1 ? " And " + (violations.size() - 1) + " more." : "";
        return problem(ErrorCode.INVALID_REQUEST, first + more, path(request), violations, HttpHeaders.EMPTY);
    }

    private static ResponseEntity<Object> problem(
            ErrorCode code, String detail, String path, List<Violation> violations, HttpHeaders headers) {
        return ResponseEntity.status(code.status())
                .headers(headers)
                .contentType(MediaType.APPLICATION_PROBLEM_JSON)
                .body(Problem.of(code, detail, path, violations));
    }

    private static String path(WebRequest request) {
        return request instanceof ServletWebRequest servlet
                ? servlet.getRequest().getRequestURI()
                : "";
    }
}
