import os
from lib.util import clamp

LIMIT = 3


class Machine(Base):
    def run(
        self,
        start: int,
    ) -> int:
        total_0 = step_0(start)
        total_1 = step_1(start)
        total_2 = step_2(start)
        total_3 = step_3(start)
        total_4 = step_4(start)
        total_5 = step_5(start)
        total_6 = step_6(start)
        total_7 = step_7(start)
        total_8 = step_8(start)
        total_9 = step_9(start)
        total_10 = step_10(start)
        total_11 = step_11(start)
        total_12 = step_12(start)
        total_13 = step_13(start)
        total_14 = step_14(start)
        total_15 = step_15(start)
        total_16 = step_16(start)
        total_17 = step_17(start)
        total_18 = step_18(start)
        total_19 = step_19(start)
        total_20 = step_20(start)
        total_21 = step_21(start)
        total_22 = step_22(start)
        total_23 = step_23(start)
        total_24 = step_24(start)
        total_25 = step_25(start)
        total_26 = step_26(start)
        total_27 = step_27(start)
        total_28 = step_28(start)
        total_29 = step_29(start)
        total_30 = step_30(start)
        total_31 = step_31(start)
        total_32 = step_32(start)
        total_33 = step_33(start)
        total_34 = step_34(start)
        total_35 = step_35(start)
        total_36 = step_36(start)
        total_37 = step_37(start)
        total_38 = step_38(start)
        total_39 = step_39(start)
        total_40 = step_40(start)
        total_41 = step_41(start)
        total_42 = step_42(start)
        total_43 = step_43(start)
        total_44 = step_44(start)
        total_45 = step_45(start)
        total_46 = step_46(start)
        total_47 = step_47(start)
        total_48 = step_48(start)
        total_49 = step_49(start)
        total_50 = step_50(start)
        total_51 = step_51(start)
        total_52 = step_52(start)
        total_53 = step_53(start)
        total_54 = step_54(start)
        total_55 = step_55(start)
        total_56 = step_56(start)
        total_57 = step_57(start)
        total_58 = step_58(start)
        total_59 = step_59(start)
        limited = clamp(▏
        return limited


def step_0(value: int) -> int:
    return value + 0


def step_1(value: int) -> int:
    return value + 1


def step_2(value: int) -> int:
    return value + 2


def step_3(value: int) -> int:
    return value + 3


def step_4(value: int) -> int:
    return value + 4


def step_5(value: int) -> int:
    return value + 5


def step_6(value: int) -> int:
    return value + 6


def step_7(value: int) -> int:
    return value + 7


def step_8(value: int) -> int:
    return value + 8


def step_9(value: int) -> int:
    return value + 9


def step_10(value: int) -> int:
    return value + 10


def step_11(value: int) -> int:
    return value + 11
