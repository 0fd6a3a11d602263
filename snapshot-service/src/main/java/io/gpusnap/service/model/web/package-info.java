/** HTTP side of models. */
@NullMarked
package io.gpusnap.service.model.web;

import org.jspecify.annotations.NullMarked;
