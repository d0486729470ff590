//! The pictures as H.264 has them: each a whole one (IDR), of one slice, each of its macroblocks
//! as it is (`I_PCM`). The names behind the numbers are those of ITU-T H.264, 7.3.

use super::{
    HEIGHT, WIDTH,
    bits::Bits,
    scene::{Sample, Scene},
};

/// Baseline profile, in the narrow form that every decoder knows (`constraint_set0_flag` and
/// `constraint_set1_flag`), level 1: the first bytes of the sequence's parameters.
pub(super) const PROFILE: [u8; 3] = [66, 0b1100_0000, 10];

/// The side of a macroblock, in pixels.
const BLOCK: u16 = 16;

/// What a unit holds, and whether others need it: its first byte.
const SEQUENCE_PARAMETERS: u8 = 0x67;
const PICTURE_PARAMETERS: u8 = 0x68;
const WHOLE_PICTURE: u8 = 0x65;

/// What all pictures have in common.
pub(super) fn sequence_parameters() -> Vec<u8> {
    let mut bits = Bits::default();
    for byte in PROFILE {
        bits.byte(byte);
    }
    bits.golomb(0); // seq_parameter_set_id
    bits.golomb(0); // log2_max_frame_num_minus4
    bits.golomb(2); // pic_order_cnt_type: pictures are shown in the order they come in
    bits.golomb(1); // max_num_ref_frames
    bits.put(0, 1); // gaps_in_frame_num_value_allowed_flag
    bits.golomb(WIDTH / BLOCK - 1); // pic_width_in_mbs_minus1
    bits.golomb(HEIGHT / BLOCK - 1); // pic_height_in_map_units_minus1
    bits.put(1, 1); // frame_mbs_only_flag
    bits.put(1, 1); // direct_8x8_inference_flag
    bits.put(0, 1); // frame_cropping_flag
    bits.put(0, 1); // vui_parameters_present_flag
    unit(SEQUENCE_PARAMETERS, &bits.close())
}

/// What the slices of a picture have in common.
pub(super) fn picture_parameters() -> Vec<u8> {
    let mut bits = Bits::default();
    bits.golomb(0); // pic_parameter_set_id
    bits.golomb(0); // seq_parameter_set_id
    bits.put(0, 1); // entropy_coding_mode_flag
    bits.put(0, 1); // bottom_field_pic_order_in_frame_present_flag
    bits.golomb(0); // num_slice_groups_minus1
    bits.golomb(0); // num_ref_idx_l0_default_active_minus1
    bits.golomb(0); // num_ref_idx_l1_default_active_minus1
    bits.put(0, 1); // weighted_pred_flag
    bits.put(0, 2); // weighted_bipred_idc
    bits.golomb(0); // pic_init_qp_minus26
    bits.golomb(0); // pic_init_qs_minus26
    bits.golomb(0); // chroma_qp_index_offset
    bits.put(1, 1); // deblocking_filter_control_present_flag
    bits.put(0, 1); // constrained_intra_pred_flag
    bits.put(0, 1); // redundant_pic_cnt_present_flag
    unit(PICTURE_PARAMETERS, &bits.close())
}

/// A picture.
pub(super) fn picture(scene: Scene) -> Vec<u8> {
    let mut bits = Bits::default();
    bits.golomb(0); // first_mb_in_slice
    bits.golomb(7); // slice_type: I, as all slices of the picture
    bits.golomb(0); // pic_parameter_set_id
    bits.put(0, 4); // frame_num: each whole picture begins anew
    bits.golomb(u16::from(scene.second % 2)); // idr_pic_id: not that of the picture before
    bits.put(0, 1); // no_output_of_prior_pics_flag
    bits.put(0, 1); // long_term_reference_flag
    bits.golomb(0); // slice_qp_delta
    bits.golomb(1); // disable_deblocking_filter_idc: nothing is smoothed
    for y in (0..HEIGHT).step_by(BLOCK.into()) {
        for x in (0..WIDTH).step_by(BLOCK.into()) {
            macroblock(&mut bits, scene, x, y);
        }
    }
    unit(WHOLE_PICTURE, &bits.close())
}

/// 16×16 pixels: how bright each is, and for each four how blue and how red.
fn macroblock(bits: &mut Bits, scene: Scene, left: u16, top: u16) {
    bits.golomb(25); // mb_type: I_PCM
    bits.align();
    let mut samples = |step: u16, pick: fn(Sample) -> u8| {
        for y in (top..top + BLOCK).step_by(step.into()) {
            for x in (left..left + BLOCK).step_by(step.into()) {
                bits.byte(pick(scene.pixel(x, y)));
            }
        }
    };
    samples(1, |sample| sample.y);
    samples(2, |sample| sample.cb);
    samples(2, |sample| sample.cr);
}

/// A unit of the stream. Two zeros before a byte of 3 or less would look like the beginning of a
/// unit or be kept for later, so a 3 stands between them (`emulation_prevention_three_byte`).
fn unit(first: u8, content: &[u8]) -> Vec<u8> {
    let mut unit = vec![first];
    for byte in content {
        if *byte <= 3 && unit.ends_with(&[0, 0]) {
            unit.push(3);
        }
        unit.push(*byte);
    }
    unit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_unit_looks_like_the_beginning_of_one() {
        assert_eq!(unit(9, &[0, 0, 1, 0, 0, 0, 0, 0, 4]), [9, 0, 0, 3, 1, 0, 0, 3, 0, 0, 3, 0, 4]);
        assert_eq!(unit(9, &[0, 4, 0, 5, 0]), [9, 0, 4, 0, 5, 0]);
    }

    #[test]
    fn the_parameters_say_baseline_64_by_48() {
        // 1 1 011 010, 0 00100 01, 1 1 1 0 0 1: the last one closes.
        assert_eq!(
            sequence_parameters(),
            [0x67, 66, 0xC0, 10, 0b1101_1010, 0b0001_0001, 0b1110_0100]
        );
    }
}
