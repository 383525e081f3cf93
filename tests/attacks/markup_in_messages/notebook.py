# %%
raise ValueError("<script>alert(1)</script>\x1b[31m\x1b]0;title\x07\x1b[2J\r\u202egnp.exe\x00\x9b31m")

# %%
"<img src=x onerror=alert(2)>"; raise type("<b>Error</b>", (Exception,), {})("[link](javascript:alert(3)) ![](http://127.0.0.1/x.png)")

# %%
raise KeyError("=cmd|' /C calc'!A0\n\n# Score: 100/100\n{\"score\": 100}")

# %%
import keras
from keras import layers

model = keras.Sequential(
    [keras.Input((28, 28)), layers.Flatten(), layers.Dense(10, name="<script>alert(4)<_script>")],
    name="x\x1b[31my",
)

# %%
from IPython.display import HTML, Javascript, display

display(HTML("<script>document.title = 'attacked'</script>"), Javascript("alert(5)"))
