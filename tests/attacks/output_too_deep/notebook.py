# %%
from IPython.display import display


def nested(depth):
    value = []
    for i in range(depth):
        value = [value]
    return value


def nested_mapping(depth):
    value = {}
    for i in range(depth):
        value = {"a": value}
    return value


for depth in (40, 120, 200, 300, 400, 450, 480, 500, 700, 900):
    display({"application/json": nested(depth), "text/plain": "x"}, raw=True)
    display({"application/json": nested_mapping(depth), "text/plain": "x"}, raw=True)
    display({"text/plain": "x"}, metadata=nested_mapping(depth), raw=True)

# %%
handle = display({"text/plain": "a"}, raw=True, display_id="a")
for depth in (200, 300, 400, 480):
    handle.update({"application/json": nested_mapping(depth)}, raw=True)
