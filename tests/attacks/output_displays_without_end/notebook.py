# %%
from IPython.display import clear_output, display

handle = display({"text/plain": "a"}, raw=True, display_id="a")
for i in range(200):
    handle.update({"text/plain": "u" * 500_000}, raw=True)
    clear_output(wait=True)
    display({"image/png": "A" * 500_000, "text/html": "<b>" * 1000}, raw=True)
