# %%
import time


class Model:
    @property
    def __class__(self):
        end = time.time() + 150
        while time.time() < end:
            try:
                time.sleep(1)
            except BaseException:
                pass
        return Model


model = Model()
