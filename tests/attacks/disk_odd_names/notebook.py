# %%
import os

for name in (b"-rf", b"a\nb", b"\xff\xfe", b"$(reboot)", b"*", b"..."):
    os.mkdir(name)
    with open(name + b"/\xff", "wb") as file:
        file.write(b"x")
for i, target in enumerate(("/", "/tmp", "/usr", "..", "/proc/self/root", "/dev/zero")):
    os.symlink(target, f"link-{i}")
os.mkfifo("pipe")
os.mkdir("deep")
os.chdir("deep")
for i in range(300):
    os.mkdir("d" * 100)
    os.chdir("d" * 100)
