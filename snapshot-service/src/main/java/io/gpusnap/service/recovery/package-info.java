/** What a lost node had comes back elsewhere, the most important first; and what the node still has is ended when it returns. */
@NullMarked
package io.gpusnap.service.recovery;

import org.jspecify.annotations.NullMarked;
