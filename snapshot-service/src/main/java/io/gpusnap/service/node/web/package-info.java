/** HTTP side of nodes. */
@NullMarked
package io.gpusnap.service.node.web;

import org.jspecify.annotations.NullMarked;
