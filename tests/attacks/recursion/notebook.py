# %%
def f(n):
    return f(n + 1) + 1


f(0)


# %%
class Deep(Exception):
    def __str__(self):
        return str(self)

    __repr__ = __str__


raise Deep

# %%
import keras
from keras import layers

model = keras.Sequential([keras.Input((28, 28)), layers.Flatten(), layers.Dense(10)])
