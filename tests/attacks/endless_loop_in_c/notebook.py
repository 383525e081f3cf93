# %%
import hashlib

hashlib.pbkdf2_hmac("sha512", b"a", b"b", 100_000_000)
