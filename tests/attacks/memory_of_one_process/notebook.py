# %%
hoard = []
for i in range(256):
    hoard.append(bytearray(b"x") * (16 << 20))
