@NullMarked
package io.gpusnap.service.fanout.web;

import org.jspecify.annotations.NullMarked;
