package io.gpusnap.service.platform.problem;

import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.security.SecurityRequirements;
import io.swagger.v3.oas.annotations.tags.Tag;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RestController;

/** What a problem's {@code type} leads to. Open to everybody: it says nothing about this installation. */
@RestController
@Tag(name = "Errors", description = "What a problem's code means and what to do about it")
class ErrorDocumentationController {

    /** A code, explained. */
    record ErrorDocumentation(ErrorCode code, int status, String title, String advice) {}

    @GetMapping("/errors/{code}")
    @SecurityRequirements
    @Operation(operationId = "getErrorCode", summary = "Explain an error code")
    ErrorDocumentation get(@PathVariable ErrorCode code) {
        return new ErrorDocumentation(code, code.status().value(), code.title(), code.advice());
    }
}
