# %%
kernel = get_ipython().kernel
session = kernel.session
parent = kernel.get_parent("shell")


def forge(kind, **content):
    session.send(kernel.iopub_socket, kind, content, parent=parent, ident=b"x")


data = {"text/plain": "x"}
for odd in (None, 7, "x", [1], {"a": 1}, True, 1e999):
    forge("display_data", data=data, metadata={}, transient=odd)
    forge("display_data", data=odd, metadata=odd)
    forge("execute_result", data=data, metadata=odd, execution_count=odd, transient={"display_id": odd})
    forge("update_display_data", data=data, metadata={}, transient=odd)
    forge("update_display_data", data=odd, metadata=odd, transient={"display_id": odd})
    forge("stream", name=odd, text=odd)
    forge("stream", name="stdout", text=odd)
    forge("error", ename=odd, evalue=odd, traceback=odd)
    forge("clear_output", wait=odd)
    forge("status", execution_state=odd)
forge("display_data", data=data, metadata={}, transient={"display_id": "here"})
for odd in (None, 7, "x", [1], {"a": float("nan")}, {"image/png": 7}, {"": {"": []}}):
    forge("update_display_data", data=odd, metadata={}, transient={"display_id": "here"})
    forge("update_display_data", data={"text/plain": odd}, metadata={"x": odd}, transient={"display_id": "here"})
