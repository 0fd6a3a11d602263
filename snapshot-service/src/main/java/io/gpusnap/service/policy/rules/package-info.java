/** The rules of tier policies, one class a rule. A rule is a pure function of what it is shown, and explains what it wants. */
@NullMarked
package io.gpusnap.service.policy.rules;

import org.jspecify.annotations.NullMarked;
