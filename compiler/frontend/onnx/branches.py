"""If with a constant condition: the branch that is taken, to be read as if it stood in the graph."""

from ensc.compiler.frontend.onnx.graph import Body, Node
from ensc.compiler.frontend.onnx.tensor import Inputs, constant


def taken(node: Node, inputs: Inputs) -> Body:
    """Return the branch that an If takes.

    Raises:
        Rejected: E0509 if the condition is computed from the input, E0506 if there is no such branch.
    """
    condition = constant(node, inputs, 0)
    if condition is None or condition.size != 1:
        node.invalid("its condition is no single truth value")
    name = "then_branch" if condition.item() else "else_branch"
    branch = node.attributes.get(name)
    if not isinstance(branch, Body):
        node.invalid(f"it has no `{name}`")
    if len(branch.outputs) < len(node.outputs):
        node.invalid(f"its `{name}` has {len(branch.outputs)} outputs for {len(node.outputs)}")
    return branch
