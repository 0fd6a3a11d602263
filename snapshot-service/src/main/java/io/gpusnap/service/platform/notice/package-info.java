/** Word from instance to instance, through the database. */
@NullMarked
package io.gpusnap.service.platform.notice;

import org.jspecify.annotations.NullMarked;
